#include "core/sys/file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/sys/syscalls.h"
#include "support/forked.h"
#include "support/workspace.h"

using namespace nsbox;
using namespace nsbox::test;

TEST("file: reads the whole of it, up to the limit") {
  const Workspace work;
  work.file("a", std::string(10000, 'x'));
  auto whole = read_file_at(work.fd(), "a");
  EXPECT(whole && whole->size() == 10000);
  EXPECT(read_file_at(work.fd(), "a", 10000));
  EXPECT_EQ(code_of(read_file_at(work.fd(), "a", 9999)), "EFBIG");
  EXPECT_EQ(told(read_file_at(work.fd(), "b")), "open b: ENOENT (No such file or directory)");
}

TEST("file: a pipe by name does not make the reader wait") {
  const Workspace work;
  EXPECT_EQ(mkfifoat(work.fd(), "pipe", 0600), 0);
  auto text = read_file_at(work.fd(), "pipe");
  EXPECT(text && text->empty());
}

TEST("file: writes to one that exists, and makes none") {
  const Workspace work;
  work.file("a");
  EXPECT(write_file_at(work.fd(), "a", "text"));
  EXPECT_EQ(work.read("a"), "text");
  EXPECT_EQ(code_of(write_file_at(work.fd(), "b", "text")), "ENOENT");
  EXPECT(!work.exists("b"));
}

TEST("file: the error of a write names the text and the path") {
  const Workspace work;
  EXPECT_EQ(told(write_file_at(AT_FDCWD, "/proc/self/oom_score_adj", "words")),
            "write words to /proc/self/oom_score_adj: EINVAL (Invalid argument)");
}

TEST("file: makes directories, and those that are there are fine") {
  const Workspace work;
  EXPECT(make_directories_at(work.fd(), "a/b/c", 0755));
  EXPECT(make_directories_at(work.fd(), "a/b/c/", 0755));
  EXPECT(work.exists("a/b/c"));
  work.file("f");
  EXPECT_EQ(code_of(make_directories_at(work.fd(), "f/x", 0755)), "ENOTDIR");
}

TEST("file: lists a directory of more names than one buffer holds") {
  const Workspace work;
  for (int i = 0; i < 700; i++) work.file("a-name-of-some-length-" + std::to_string(i));
  MUST(dir, sys::openat(work.fd(), ".", O_RDONLY | O_DIRECTORY));
  auto entries = read_directory(dir.get());
  EXPECT(entries && entries->size() == 700);
}

TEST("remove_tree: removes a tree, not what its links point to") {
  const Workspace work;
  work.file("keep/me", "here");
  work.file("tree/a/b/c");
  work.link("tree/a/out", work.path("keep"));
  work.link("tree/up", "..");
  EXPECT(remove_tree_at(work.fd(), "tree"));
  EXPECT(!work.exists("tree"));
  EXPECT_EQ(work.read("keep/me"), "here");
  work.link("link", "keep");
  EXPECT(remove_tree_at(work.fd(), "link"));
  EXPECT(!work.exists("link") && work.exists("keep/me"));
  EXPECT(remove_tree_at(work.fd(), "never-was"));
}

TEST("remove_tree: what its owner made unreadable or read-only goes too, for an ordinary user") {
  if (!is_privileged()) return skip("needs root to become another user");
  const Workspace work(kOrdinaryUser);
  in_fork([&] {
    become_ordinary();
    work.file("tree/read-only/file");
    work.file("tree/closed/deep/file");
    work.directory("tree/read-only", 0555);
    work.directory("tree/closed/deep", 0);
    work.directory("tree/closed", 0);
    work.directory("tree", 0500);
    EXPECT_EQ(told(remove_tree_at(work.fd(), "tree")), "ok");
    EXPECT(!work.exists("tree"));
  });
}

TEST("remove_tree: a tree deeper than there are descriptors goes too") {
  const Workspace work;
  in_fork([&] {
    constexpr int kDepth = 3000;
    UniqueFd at(openat(work.fd(), ".", O_RDONLY | O_CLOEXEC));
    for (int i = 0; i < kDepth; i++) {
      EXPECT_EQ(mkdirat(at.get(), "d", 0755), 0);
      at = UniqueFd(openat(at.get(), "d", O_RDONLY | O_CLOEXEC));
    }
    at.reset();
    const rlimit few = {64, 64};
    setrlimit(RLIMIT_NOFILE, &few);
    EXPECT_EQ(told(remove_tree_at(work.fd(), "d")), "ok");
    EXPECT(!work.exists("d"));
  });
}
