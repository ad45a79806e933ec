#include "core/layer/copy.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>

#include "core/layer/changes.h"
#include "support/forked.h"
#include "support/workspace.h"

using namespace nsbox;
using namespace nsbox::test;

namespace {

std::string copy(const Workspace& work) {
  const UniqueFd from(openat(work.fd(), "from", O_PATH | O_DIRECTORY | O_CLOEXEC));
  work.directory("to");
  const UniqueFd to(openat(work.fd(), "to", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return told(copy_tree(from.get(), to.get()));
}

std::string apply(const Workspace& work, std::initializer_list<std::string_view> paths = {""}) {
  const UniqueFd upper(openat(work.fd(), "upper", O_PATH | O_DIRECTORY | O_CLOEXEC));
  const UniqueFd target(openat(work.fd(), "target", O_PATH | O_DIRECTORY | O_CLOEXEC));
  const Vector<std::string_view> wanted(paths.begin(), paths.end());
  auto done = apply_changes(upper.get(), target.get(), wanted);
  return done ? std::to_string(*done) : told(done);
}

// A capability as `setcap cap_net_raw+ep` writes it.
constexpr unsigned char kCapability[20] = {1, 0, 0, 2, 0, 0x20};

bool set_capability(const std::string& path) {
  return setxattr(path.c_str(), "security.capability", kCapability, sizeof kCapability, 0) == 0;
}
bool has_capability(const std::string& path) {
  return getxattr(path.c_str(), "security.capability", nullptr, 0) > 0;
}

void whiteout(const Workspace& work, const std::string& name) {
  (void)mknodat(work.fd(), name.c_str(), S_IFCHR, makedev(0, 0));
}

}  // namespace

TEST("copy: keeps contents, modes, owners, times, links and overlay's marks") {
  if (!is_privileged()) return skip("needs root");
  const Workspace work;
  work.file("from/dir/file", "content", 04755);
  work.link("from/link", "/nowhere");
  whiteout(work, "from/gone");
  (void)mkfifoat(work.fd(), "from/pipe", 0600);
  work.directory("from/opaque", 0700);
  EXPECT_EQ(setxattr(work.path("from/opaque").c_str(), "trusted.overlay.opaque", "y", 1, 0), 0);
  EXPECT_EQ(chown(work.path("from/dir").c_str(), 5, 6), 0);
  const timespec times[2] = {{1000, 1}, {2000, 2}};
  EXPECT_EQ(utimensat(work.fd(), "from/dir", times, 0), 0);
  EXPECT_EQ(copy(work), "ok");
  EXPECT_EQ(work.read("to/dir/file"), "content");
  EXPECT_EQ(work.mode_of("to/dir/file"), 04755U);
  struct stat info = {};
  EXPECT(fstatat(work.fd(), "to/dir", &info, 0) == 0 && info.st_uid == 5 && info.st_gid == 6);
  EXPECT(info.st_mtim.tv_sec == 2000 && info.st_mtim.tv_nsec == 2);
  EXPECT(fstatat(work.fd(), "to/gone", &info, 0) == 0 && S_ISCHR(info.st_mode) && info.st_rdev == 0);
  EXPECT(fstatat(work.fd(), "to/pipe", &info, 0) == 0 && S_ISFIFO(info.st_mode));
  const UniqueFd opaque(openat(work.fd(), "to/opaque", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  EXPECT(is_opaque(opaque.get()));
  EXPECT_EQ(name_of_fd(opaque.get()), work.path("to/opaque"));
}

TEST("copy: a capability stays with its file, which takes setting it after the owner") {
  if (!is_privileged()) return skip("needs root");
  const Workspace work;
  work.file("from/program", "x", 0755);
  EXPECT_EQ(chown(work.path("from/program").c_str(), 5, 6), 0);
  if (!set_capability(work.path("from/program"))) return skip("cannot set a file's capability here");
  EXPECT_EQ(copy(work), "ok");
  EXPECT(has_capability(work.path("to/program")));
}

TEST("copy: never overwrites what is there") {
  const Workspace work;
  work.file("from/file", "new");
  work.file("to/file", "old");
  EXPECT(copy(work).find("EEXIST") != std::string::npos);
  EXPECT_EQ(work.read("to/file"), "old");
}

TEST("copy: copies a file larger than one buffer") {
  const Workspace work;
  const std::string much(3 << 20, 'x');
  work.file("from/file", much);
  EXPECT_EQ(copy(work), "ok");
  EXPECT(work.read("to/file") == much);
}

TEST("apply: carries out what is new, changed and deleted") {
  if (!is_privileged()) return skip("needs root to make whiteouts");
  const Workspace work;
  work.file("target/changed", "old");
  work.file("target/gone/inside");
  work.file("target/kept", "kept");
  work.file("upper/changed", "new", 0640);
  work.file("upper/new/file", "fresh");
  work.link("upper/link", "changed");
  whiteout(work, "upper/gone");
  whiteout(work, "upper/never-was");
  EXPECT_EQ(apply(work), "6");
  EXPECT_EQ(work.read("target/changed"), "new");
  EXPECT_EQ(work.mode_of("target/changed"), 0640U);
  EXPECT_EQ(work.read("target/new/file"), "fresh");
  EXPECT_EQ(work.read("target/link"), "new");
  EXPECT_EQ(work.read("target/kept"), "kept");
  EXPECT(!work.exists("target/gone"));
}

TEST("apply: only the paths that are wanted, and what is below them") {
  const Workspace work;
  work.directory("target");
  for (const char* name : {"upper/a/b/c", "upper/a/bc", "upper/a/x", "upper/z"}) work.file(name, "x");
  EXPECT_EQ(apply(work, {"a/b", "y"}), "3");
  EXPECT(work.exists("target/a/b/c"));
  EXPECT(!work.exists("target/a/bc") && !work.exists("target/a/x") && !work.exists("target/z"));
}

TEST("apply: an opaque directory takes the place of the one below it") {
  if (!is_privileged()) return skip("needs root to mark directories");
  const Workspace work;
  work.file("target/dir/old");
  work.file("upper/dir/new");
  EXPECT_EQ(setxattr(work.path("upper/dir").c_str(), "trusted.overlay.opaque", "y", 1, 0), 0);
  EXPECT_EQ(apply(work), "2");
  EXPECT(!work.exists("target/dir/old") && work.exists("target/dir/new"));
}

TEST("apply: files and directories replace each other") {
  const Workspace work;
  work.file("target/was-dir/inside");
  work.file("target/was-file");
  work.file("upper/was-dir", "file");
  work.file("upper/was-file/inside", "inside");
  EXPECT_EQ(apply(work), "3");
  EXPECT_EQ(work.read("target/was-dir"), "file");
  EXPECT_EQ(work.read("target/was-file/inside"), "inside");
}

TEST("apply: a link in the target is never followed") {
  const Workspace work;
  work.file("outside/file", "outside", 0600);
  work.directory("target");
  work.link("target/dir", work.path("outside"));
  work.link("target/file", work.path("outside/file"));
  work.link("target/way", work.path("outside"));
  work.file("upper/dir/file", "evil");
  work.file("upper/file", "evil");
  work.file("upper/way/there/new", "evil");
  // On the way to what is wanted a link stops; in the place of what is wanted it goes.
  EXPECT(apply(work, {"way/there"}).find("ELOOP") != std::string::npos);
  EXPECT_EQ(apply(work, {"dir", "file"}), "3");
  EXPECT_EQ(work.read("outside/file"), "outside");
  EXPECT_EQ(work.mode_of("outside/file"), 0600U);
  EXPECT(!work.exists("outside/there"));
  EXPECT_EQ(work.read("target/dir/file"), "evil");
}

TEST("apply: no power comes out: set-user-ID, capabilities, devices, sockets, pipes") {
  if (!is_privileged()) return skip("needs root");
  const Workspace work;
  work.directory("target");
  work.file("upper/suid", "x", 06755);
  work.file("upper/capable", "x", 0755);
  work.directory("upper/sgid", 03777);
  const bool capable = set_capability(work.path("upper/capable"));
  EXPECT_EQ(mknodat(work.fd(), "upper/disk", S_IFBLK | 0666, makedev(8, 0)), 0);
  EXPECT_EQ(mkfifoat(work.fd(), "upper/pipe", 0666), 0);
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  const std::string path = work.path("upper/socket");
  memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(apply(work), "3");
  EXPECT_EQ(work.mode_of("target/suid"), 0755U);
  EXPECT_EQ(work.mode_of("target/sgid"), 01777U);
  EXPECT(!capable || !has_capability(work.path("target/capable")));
  EXPECT(!work.exists("target/disk") && !work.exists("target/pipe") && !work.exists("target/socket"));
}

TEST("apply: hard links come out as files of their own") {
  const Workspace work;
  work.file("target/a", "old");
  EXPECT_EQ(linkat(work.fd(), "target/a", work.fd(), "other", 0), 0);
  work.file("upper/a", "new");
  EXPECT_EQ(linkat(work.fd(), "upper/a", work.fd(), "upper/b", 0), 0);
  EXPECT_EQ(apply(work), "2");
  EXPECT_EQ(work.read("target/a") + work.read("target/b"), "newnew");
  EXPECT_EQ(work.read("other"), "old");
}

TEST("apply: a tree that is too deep is refused") {
  const Workspace work;
  work.directory("upper");
  work.directory("target");
  UniqueFd at(openat(work.fd(), "upper", O_RDONLY | O_CLOEXEC));
  for (int i = 0; i < kMaxTreeDepth + 10; i++) {
    if (mkdirat(at.get(), "d", 0755) != 0) return fail(__FILE__, __LINE__, "make a deep tree");
    at = UniqueFd(openat(at.get(), "d", O_RDONLY | O_CLOEXEC));
  }
  EXPECT(apply(work).find("nested too deeply") != std::string::npos);
}
