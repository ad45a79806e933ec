#include "core/layer/unpack.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "layer/tar_builder.h"
#include "support/forked.h"
#include "support/workspace.h"

using namespace nsbox;
using namespace nsbox::test;

namespace {

std::string unpack(const Workspace& work, const TarBuilder& tar, UnpackOptions options = {},
                   size_t piece = 4096) {
  if (!work.exists("root")) work.directory("root");
  const UniqueFd root(openat(work.fd(), "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::string bytes = tar.ended();
  TextSource source(bytes, piece);
  return told(unpack_layer(source, root.get(), options));
}

struct stat look(const Workspace& work, const std::string& name) {
  struct stat info = {};
  EXPECT_EQ(fstatat(work.fd(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW), 0);
  return info;
}

bool is_whiteout(const Workspace& work, const std::string& name) {
  const auto info = look(work, name);
  return S_ISCHR(info.st_mode) && info.st_rdev == 0;
}

std::string xattr(const Workspace& work, const std::string& name, const char* key) {
  char value[256];
  const ssize_t size = lgetxattr(work.path(name).c_str(), key, value, sizeof value);
  return size < 0 ? "(none)" : std::string(value, static_cast<size_t>(size));
}

std::string target_of(const Workspace& work, const std::string& name) {
  char target[4096];
  const ssize_t size = readlinkat(work.fd(), name.c_str(), target, sizeof target);
  return size < 0 ? "(none)" : std::string(target, static_cast<size_t>(size));
}

}  // namespace

TEST("layer unpack: files, directories, links, pipes and devices as they are") {
  if (!is_privileged()) return skip("needs root");
  const Workspace work;
  TarBuilder tar;
  tar.directory("./", 0751);
  tar.add({.name = "dir/", .type = '5', .mode = 01777, .user = 3, .group = 4, .time = 12345});
  tar.add({.name = "dir/program", .mode = 04755, .user = 5, .group = 6, .time = 777}, "content");
  tar.hard_link("dir/other", "dir/program");
  tar.symlink("dir/link", "/etc/../x");
  tar.add({.name = "null", .type = '3', .mode = 0666, .major = 1, .minor = 3});
  tar.add({.name = "disk", .type = '4', .mode = 0660, .major = 259, .minor = 70000});
  tar.add({.name = "pipe", .type = '6', .mode = 0622});
  EXPECT_EQ(unpack(work, tar), "ok");
  EXPECT_EQ(work.read("root/dir/program"), "content");
  const auto program = look(work, "root/dir/program");
  EXPECT(program.st_mode == (S_IFREG | 04755) && program.st_uid == 5 && program.st_gid == 6);
  EXPECT(program.st_mtim.tv_sec == 777 && program.st_nlink == 2);
  EXPECT_EQ(look(work, "root/dir/other").st_ino, program.st_ino);
  const auto dir = look(work, "root/dir");
  EXPECT(dir.st_mode == (S_IFDIR | 01777) && dir.st_uid == 3 && dir.st_gid == 4);
  EXPECT_EQ(dir.st_mtim.tv_sec, 12345);
  EXPECT_EQ(target_of(work, "root/dir/link"), "/etc/../x");
  EXPECT_EQ(look(work, "root/null").st_rdev, makedev(1, 3));
  EXPECT_EQ(look(work, "root/null").st_mode, static_cast<mode_t>(S_IFCHR | 0666));
  EXPECT_EQ(look(work, "root/disk").st_rdev, makedev(259, 70000));
  EXPECT_EQ(look(work, "root/pipe").st_mode, static_cast<mode_t>(S_IFIFO | 0622));
  EXPECT_EQ(look(work, "root").st_mode & 07777U, 0751U);
}

TEST("layer unpack: whiteouts become overlay's, and hide the layers below only") {
  if (!is_privileged()) return skip("needs root");
  const Workspace work;
  TarBuilder tar;
  tar.file(".wh.gone").file("dir/.wh.gone").file("dir/.wh..wh..opq");
  tar.file("own", "kept").file(".wh.own");
  tar.file(".wh.before").file("before/file", "in");
  tar.file("after/file", "in").file(".wh.after");
  tar.file(".wh..wh.plnk/1.2", "x").file(".wh..wh.aufs");
  EXPECT_EQ(unpack(work, tar), "ok");
  EXPECT(is_whiteout(work, "root/gone") && is_whiteout(work, "root/dir/gone"));
  EXPECT_EQ(xattr(work, "root/dir", "trusted.overlay.opaque"), "y");
  EXPECT_EQ(work.read("root/own"), "kept");
  EXPECT_EQ(work.read("root/before/file") + work.read("root/after/file"), "inin");
  EXPECT_EQ(xattr(work, "root/before", "trusted.overlay.opaque"), "y");
  EXPECT_EQ(xattr(work, "root/after", "trusted.overlay.opaque"), "y");
  EXPECT(!work.exists("root/.wh..wh.plnk") && !work.exists("root/.wh..wh.aufs"));
}
