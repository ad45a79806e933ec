#include "core/sys/beneath.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "support/workspace.h"

using namespace nsbox;
using namespace nsbox::test;

namespace {

// A root that is hostile, beside something that must not be reached.
struct Tree {
  Workspace work;
  UniqueFd root;
  Tree() {
    work.file("outside/secret", "secret");
    work.file("root/etc/inside", "inside");
    work.link("root/absolute", "/etc/inside");
    work.link("root/out", "../outside/secret");
    work.link("root/outdir", "../../../../../.." + work.path("outside"));
    work.link("root/host", work.path("outside"));
    work.link("root/loop", "loop");
    work.link("root/magic", "/proc/self/root");
    work.link("root/dangling", "/nowhere/at/all");
    root = UniqueFd(openat(work.fd(), "root", O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
};

std::string reads(int root, std::string_view path) {
  auto fd = open_in_root(root, path, O_RDONLY);
  return fd ? read_fd(fd->get()) : std::string(fd.error().code());
}

}  // namespace

TEST("beneath: links are followed inside the root alone") {
  const Tree tree;
  const int root = tree.root.get();
  EXPECT_EQ(reads(root, "/etc/inside"), "inside");
  EXPECT_EQ(reads(root, "absolute"), "inside");
  EXPECT_EQ(reads(root, "../../etc/inside"), "inside");
  EXPECT_EQ(reads(root, "out"), "ENOENT");
  EXPECT_EQ(reads(root, "outdir/secret"), "ENOENT");
  EXPECT_EQ(reads(root, "host/secret"), "ENOENT");
  EXPECT_EQ(reads(root, "loop"), "ELOOP");
  EXPECT_EQ(reads(root, "/../../../.." + tree.work.path("outside/secret")), "ENOENT");
}

TEST("beneath: the root itself is / and the empty path") {
  const Tree tree;
  for (const char* path : {"", "/", "//", ".", "..", "/../.."}) {
    MUST(fd, open_in_root(tree.root.get(), path, O_PATH | O_DIRECTORY));
    EXPECT_EQ(name_of_fd(fd.get()), tree.work.path("root"));
  }
}

TEST("beneath: no magic link of /proc leads out") {
  const UniqueFd proc(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (const char* path : {"self/root", "self/root/etc/passwd", "self/cwd", "self/fd/0", "self/exe"})
    EXPECT_EQ(code_of(open_in_root(proc.get(), path, O_PATH)), "ELOOP");
  EXPECT_EQ(code_of(open_in_root(proc.get(), "self/status", O_RDONLY)), "ok");
}

TEST("beneath: nofollow does not follow the last component") {
  const Tree tree;
  EXPECT_EQ(code_of(open_in_root_nofollow(tree.root.get(), "absolute", O_RDONLY)), "ELOOP");
  MUST(link, open_in_root_nofollow(tree.root.get(), "host", O_PATH));
  struct stat info = {};
  EXPECT(fstat(link.get(), &info) == 0 && S_ISLNK(info.st_mode));
}

TEST("beneath: a NUL in a path is refused, not cut off") {
  const Tree tree;
  const std::string_view path("etc/inside\0/../../outside", 25);
  EXPECT_EQ(code_of(open_in_root(tree.root.get(), path, O_RDONLY)), "EINVAL");
  EXPECT_EQ(code_of(make_directories_in_root(tree.root.get(), path, 0755)), "EINVAL");
  EXPECT_EQ(code_of(make_file_in_root(tree.root.get(), path, 0644)), "EINVAL");
  EXPECT_EQ(code_of(open_parent_in_root(tree.root.get(), path)), "EINVAL");
}

TEST("beneath: makes directories inside, whatever the path says") {
  const Tree tree;
  const int root = tree.root.get();
  for (const char* path :
       {"new/a/b", "/new/a/b/", "../../up/x", "absent/../beside/y", "a//b///c", "./dot/./x"}) {
    MUST(made, make_directories_in_root(root, path, 0755));
    EXPECT_EQ(name_of_fd(made.get()).find(tree.work.path("root")), size_t{0});
  }
  EXPECT(tree.work.exists("root/new/a/b") && tree.work.exists("root/up/x") &&
         tree.work.exists("root/beside/y"));
  EXPECT(!tree.work.exists("up"));
}

TEST("beneath: a link to the outside is a place inside for what is made, or an error") {
  const Tree tree;
  const int root = tree.root.get();
  EXPECT_EQ(code_of(make_directories_in_root(root, "host/made", 0755)), "ENOENT");
  EXPECT_EQ(code_of(make_file_in_root(root, "host/made", 0644)), "ENOENT");
  EXPECT_EQ(code_of(make_directories_in_root(root, "dangling/x", 0755)), "ENOENT");
  EXPECT_EQ(code_of(make_file_in_root(root, "dangling", 0644)), "EEXIST");
  EXPECT_EQ(code_of(make_file_in_root(root, "out", 0644)), "EEXIST");
  EXPECT(!tree.work.exists("outside/made"));
  EXPECT_EQ(code_of(make_directories_in_root(root, "etc/inside/x", 0755)), "ENOTDIR");
}

TEST("beneath: makes an empty file, and leaves one that is there") {
  const Tree tree;
  EXPECT_EQ(code_of(make_file_in_root(tree.root.get(), "x/y/file", 0600)), "ok");
  EXPECT_EQ(tree.work.mode_of("root/x/y/file"), 0600U);
  EXPECT_EQ(code_of(make_file_in_root(tree.root.get(), "etc/inside", 0600)), "ok");
  EXPECT_EQ(tree.work.read("root/etc/inside"), "inside");
  EXPECT_EQ(code_of(make_file_in_root(tree.root.get(), "plain", 0600)), "ok");
}

TEST("beneath: the parent of a path, and the name in it") {
  const Tree tree;
  auto found = open_parent_in_root(tree.root.get(), "/etc/new///");
  EXPECT(found && found->name.view() == "new" &&
         name_of_fd(found->parent.get()) == tree.work.path("root/etc"));
  auto top = open_parent_in_root(tree.root.get(), "name");
  EXPECT(top && name_of_fd(top->parent.get()) == tree.work.path("root"));
  for (const char* bad : {"", "/", "..", "a/..", "etc/.", "etc/./"})
    EXPECT_EQ(code_of(open_parent_in_root(tree.root.get(), bad)), "EINVAL");
}

TEST("beneath: a component that is swapped for a link meanwhile never leads out") {
  const Workspace work;
  work.file("outside/target", "secret");
  work.file("root/a/target", "inside");
  work.link("root/b", "../outside");
  const UniqueFd root(openat(work.fd(), "root", O_PATH | O_DIRECTORY | O_CLOEXEC));
  std::atomic<bool> stop = false;
  std::thread swapper([&] {
    while (!stop) syscall(SYS_renameat2, root.get(), "a", root.get(), "b", RENAME_EXCHANGE);
  });
  for (int i = 0; i < 4000; i++) {
    const std::string got = reads(root.get(), "a/target");
    EXPECT(got == "inside" || got == "ENOENT" || got == "EAGAIN");
    auto made = make_directories_in_root(root.get(), format("a/made-", i), 0755);
    if (made && name_of_fd(made->get()).find(work.path("outside")) == 0)
      fail(__FILE__, __LINE__, "nothing made outside");
  }
  stop = true;
  swapper.join();
  MUST(outside, open_in_root(work.fd(), "outside", O_RDONLY | O_DIRECTORY));
  struct stat info = {};
  EXPECT(fstat(outside.get(), &info) == 0 && info.st_nlink == 2);
}
