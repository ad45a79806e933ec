#include "core/mount/masks.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "core/mount/dev.h"
#include "support.h"
#include "support/forked.h"

using namespace nsbox;
using namespace nsbox::test;

namespace {

// A root with a /dev of its own on a tmpfs without nodev, in the namespace's private /tmp.
struct Root : RootInTmp {
  Root() : RootInTmp({"dev"}) {
    put("/tmp/root/file", "secret");
    put("/tmp/root/dir/file", "secret");
  }
};

Vector<std::string_view> list(std::initializer_list<std::string_view> paths) {
  return {paths.begin(), paths.end()};
}

void hides_files_and_directories() {
  const Root root;
  EXPECT_EQ(told(make_default_devices(root.get())), "ok");
  EXPECT_EQ(told(mask_paths(root.get(), list({"/file", "/dir", "/absent", "/file/below"}))), "ok");
  EXPECT_EQ(content("/tmp/root/file"), "");
  EXPECT_EQ(content("/tmp/root/dir/file"), "(none)");
  EXPECT(mkdir("/tmp/root/dir/new", 0755) != 0 && errno == EROFS);
}

void makes_devices_that_work() {
  const Root root;
  EXPECT_EQ(told(make_default_devices(root.get())), "ok");
  EXPECT_EQ(content("/tmp/root/dev/null"), "");
  char byte = 1;
  const UniqueFd zero(open("/tmp/root/dev/zero", O_RDONLY | O_CLOEXEC));
  EXPECT(read(zero.get(), &byte, 1) == 1 && byte == 0);
  char target[64] = {};
  EXPECT(readlink("/tmp/root/dev/ptmx", target, sizeof target - 1) == 8 && std::string(target) == "pts/ptmx");
  EXPECT_EQ(told(make_default_devices(root.get())), "ok");
}

}  // namespace

TEST("masks: hide files and directories, as root and in a user namespace") {
  in_mount_namespace(hides_files_and_directories);
  in_user_namespace(hides_files_and_directories);
}

TEST("devices: the default ones work, as root and in a user namespace") {
  in_mount_namespace(makes_devices_that_work);
  in_user_namespace(makes_devices_that_work);
}

TEST("masks: a /dev/null that is another thing masks nothing, and is an error") {
  in_mount_namespace([] {
    const Root root;
    put("/tmp/root/dev/null", "bait");
    EXPECT_EQ(told(mask_paths(root.get(), list({"/file"}))), "mask /file: not the character device 1:3");
    unlink("/tmp/root/dev/null");
    EXPECT_EQ(symlink("/dev/zero", "/tmp/root/dev/null"), 0);
    EXPECT_EQ(told(mask_paths(root.get(), list({"/file"}))), "mask /file: not the character device 1:3");
    unlink("/tmp/root/dev/null");
    EXPECT_EQ(mknod("/tmp/root/dev/null", S_IFCHR | 0666, makedev(1, 5)), 0);
    EXPECT_EQ(told(mask_paths(root.get(), list({"/file"}))), "mask /file: not the character device 1:3");
    EXPECT_EQ(content("/tmp/root/file"), "secret");
  });
}

TEST("masks: a link is masked at its end inside the root, never outside") {
  in_mount_namespace([] {
    const Root root;
    EXPECT_EQ(told(make_default_devices(root.get())), "ok");
    EXPECT_EQ(symlink("../outside/file", "/tmp/root/link"), 0);
    EXPECT_EQ(symlink("/file", "/tmp/root/alias"), 0);
    EXPECT_EQ(symlink("loop", "/tmp/root/loop"), 0);
    EXPECT_EQ(told(mask_paths(root.get(), list({"/link", "/../../outside/file", "/alias"}))), "ok");
    EXPECT_EQ(content("/tmp/outside/file"), "outside");
    EXPECT_EQ(content("/tmp/root/file"), "");
    // What cannot be looked at cannot be called hidden.
    EXPECT_EQ(told(mask_paths(root.get(), list({"/loop"}))).find("mask /loop: ELOOP"), size_t{0});
  });
}

TEST("masks: a read-only path can still be read") {
  in_mount_namespace([] {
    const Root root;
    EXPECT_EQ(told(make_paths_readonly(root.get(), list({"/dir", "/file", "/absent"}))), "ok");
    EXPECT_EQ(content("/tmp/root/dir/file"), "secret");
    EXPECT(open("/tmp/root/dir/file", O_WRONLY | O_CLOEXEC) < 0 && errno == EROFS);
    EXPECT(open("/tmp/root/file", O_WRONLY | O_CLOEXEC) < 0 && errno == EROFS);
  });
}

TEST("devices: made as the configuration says, owner and mode too") {
  in_mount_namespace([] {
    const Root root;
    Vector<Device> devices;
    devices.push_back(
        {.path = "/dev/deep/full", .type = 'c', .major = 1, .minor = 7, .mode = 0640, .user = 5, .group = 6});
    devices.push_back({.path = "/dev/pipe", .type = 'p', .mode = 0600});
    devices.push_back({.path = "/dev/disk", .type = 'b', .major = 259, .minor = 70000, .mode = 0600});
    EXPECT_EQ(told(make_devices(root.get(), devices)), "ok");
    struct stat info = {};
    EXPECT(stat("/tmp/root/dev/deep/full", &info) == 0 && info.st_rdev == makedev(1, 7));
    EXPECT_EQ(info.st_mode, mode_t{S_IFCHR | 0640});
    EXPECT(info.st_uid == 5 && info.st_gid == 6);
    EXPECT(stat("/tmp/root/dev/pipe", &info) == 0 && S_ISFIFO(info.st_mode));
    EXPECT(stat("/tmp/root/dev/disk", &info) == 0 && S_ISBLK(info.st_mode) &&
           info.st_rdev == makedev(259, 70000));
  });
}

TEST("devices: one that is there already must be the one that was asked for") {
  in_mount_namespace([] {
    const Root root;
    EXPECT_EQ(mknod("/tmp/root/dev/thing", S_IFCHR | 0666, makedev(1, 5)), 0);
    EXPECT_EQ(symlink("/tmp/outside/file", "/tmp/root/dev/linked"), 0);
    Vector<Device> devices;
    devices.push_back({.path = "/dev/thing", .type = 'c', .major = 1, .minor = 7});
    EXPECT(!make_devices(root.get(), devices));
    Vector<Device> linked;
    linked.push_back({.path = "/dev/linked", .type = 'c', .major = 1, .minor = 7, .mode = 0600});
    EXPECT(!make_devices(root.get(), linked));
    struct stat info = {};
    EXPECT(stat("/tmp/outside/file", &info) == 0 && (info.st_mode & 07777) == 0644);
  });
}

TEST("devices: an empty file that an earlier life has left is bound over, where none can be made") {
  in_user_namespace([] {
    const Root root;
    Vector<Device> devices;
    devices.push_back({.path = "/dev/own/null", .type = 'c', .major = 1, .minor = 3});
    EXPECT_EQ(told(make_devices(root.get(), devices)).find("make device /dev/own/null: open /dev/own/null"),
              size_t{0});
    devices[0].path = "/dev/null";
    put("/tmp/root/dev/null", "");
    EXPECT_EQ(told(make_devices(root.get(), devices)), "ok");
    struct stat info = {};
    EXPECT(stat("/tmp/root/dev/null", &info) == 0 && info.st_rdev == makedev(1, 3));
    put("/tmp/root/dev/zero", "content");
    devices[0] = {.path = "/dev/zero", .type = 'c', .major = 1, .minor = 5};
    EXPECT_EQ(told(make_devices(root.get(), devices)), "make device /dev/zero: another file is there");
  });
  in_mount_namespace([] {
    const Root root;
    put("/tmp/root/dev/null", "");
    Vector<Device> devices;
    devices.push_back({.path = "/dev/null", .type = 'c', .major = 1, .minor = 3});
    EXPECT_EQ(told(make_devices(root.get(), devices)), "make device /dev/null: another file is there");
  });
}

TEST("devices: outside /dev, unbuffered ones, and modes with a type in them") {
  in_mount_namespace([] {
    const Root root;
    Vector<Device> devices;
    devices.push_back(
        {.path = "/opt/deep/zero", .type = 'u', .major = 1, .minor = 5, .mode = S_IFCHR | 0640});
    EXPECT_EQ(told(make_devices(root.get(), devices)), "ok");
    struct stat info = {};
    EXPECT(stat("/tmp/root/opt/deep/zero", &info) == 0 && info.st_mode == (S_IFCHR | 0640));
    EXPECT_EQ(told(make_default_devices(root.get())), "ok");
    char target[64] = {};
    EXPECT(access("/proc/kcore", F_OK) != 0 ||
           (readlink("/tmp/root/dev/core", target, sizeof target - 1) > 0 &&
            std::string(target) == "/proc/kcore"));
  });
}

TEST("console: its place is never found through a link") {
  in_mount_namespace([] {
    const Root root;
    for (const char* target : {"/file", "../outside/file", "/proc/self/attr/exec", "nothing"}) {
      EXPECT_EQ(symlink(target, "/tmp/root/dev/console"), 0);
      EXPECT_EQ(code_of(make_console_place(root.get())), "EEXIST");
      EXPECT_EQ(unlink("/tmp/root/dev/console"), 0);
    }
    EXPECT(access("/tmp/root/dev/nothing", F_OK) != 0);
    MUST(place, make_console_place(root.get()));
    const UniqueFd file(open("/tmp/outside/file", O_RDWR | O_CLOEXEC));
    EXPECT_EQ(code_of(bind_console(place.get(), file.get())), "ENOTTY");
    const UniqueFd master(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    EXPECT(grantpt(master.get()) == 0 && unlockpt(master.get()) == 0);
    const UniqueFd slave(open(ptsname(master.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    EXPECT_EQ(told(bind_console(place.get(), slave.get())), "ok");
    struct stat console = {}, own = {};
    EXPECT(stat("/tmp/root/dev/console", &console) == 0 && fstat(slave.get(), &own) == 0);
    EXPECT(console.st_rdev == own.st_rdev && S_ISCHR(console.st_mode));
  });
}
