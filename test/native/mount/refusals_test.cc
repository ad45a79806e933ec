#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "core/mount/mount.h"
#include "core/sys/file.h"
#include "support.h"
#include "support/forked.h"

// What must not be mountable: over or inside the container's procfs, or outside its root.

using namespace nsbox;
using namespace nsbox::test;

namespace {

struct Root : RootInTmp {
  Root() : RootInTmp({"proc", "sys"}) {}
};

size_t count_mounts(std::string_view below) {
  auto text = read_file_at(AT_FDCWD, "/proc/self/mountinfo");
  size_t count = 0;
  for (size_t at = 0; (at = text->view().find(below, at)) != std::string_view::npos; at++) count++;
  return count;
}

constexpr const char* kNamesOfProc[] = {"/proc",         "/proc/",          "proc",       "//proc",
                                        "/dir/../proc",  "/./proc/.",       "/toproc",    "/toproc/",
                                        "/proc/../proc", "/../../../proc/", "/torelative"};

void make_links() {
  EXPECT(symlink("/proc", "/tmp/root/toproc") == 0 && symlink("../proc/.", "/tmp/root/torelative") == 0);
}

}  // namespace

TEST("refusals: nothing but procfs is mounted on /proc, by whatever name") {
  in_mount_namespace([] {
    const Root root;
    make_links();
    const size_t before = count_mounts("/tmp/root");
    for (const char* name : kNamesOfProc) {
      EXPECT_EQ(code_of(mount_beneath(root.get(), filesystem("tmpfs", name))), "EPERM");
      EXPECT_EQ(code_of(mount_beneath(root.get(), bound("/tmp/outside", name))), "EPERM");
      // A part of the host's procfs is not procfs.
      EXPECT_EQ(code_of(mount_beneath(root.get(), bound("/proc/sys", name))), "EPERM");
    }
    EXPECT_EQ(count_mounts("/tmp/root"), before);
    MUST(host, mount_beneath(root.get(), bound("/proc", "/proc")));
    MUST(over, mount_beneath(root.get(), filesystem("proc", "/proc")));
    for (const char* name : kNamesOfProc)
      EXPECT_EQ(code_of(mount_beneath(root.get(), filesystem("tmpfs", name))), "EPERM");
  });
}

TEST("refusals: inside /proc only what lxcfs shows, by its own name") {
  in_mount_namespace([] {
    const Root root;
    make_links();
    MUST(proc, mount_beneath(root.get(), filesystem("proc", "/proc")));
    for (const char* name :
         {"/proc/self", "/proc/sys", "/proc/self/attr", "/proc/sys/kernel/core_pattern", "/proc/self/fd/0",
          "/toproc/uptime", "/proc/../proc/self/attr/exec", "/proc/version"})
      EXPECT(!mount_beneath(root.get(), bound("/tmp/outside/file", name)));
    EXPECT_EQ(code_of(mount_beneath(root.get(), filesystem("tmpfs", "/proc/sys"))), "EPERM");
    EXPECT_EQ(code_of(mount_beneath(root.get(), filesystem("tmpfs", "/toproc/sys"))), "EPERM");
    EXPECT_EQ(told(mount_beneath(root.get(), bound("/tmp/outside/file", "/proc/uptime"))), "ok");
    EXPECT_EQ(told(mount_beneath(root.get(), bound("/tmp/outside/file", "/proc/sys/kernel/ns_last_pid"))),
              "ok");
  });
}

TEST("refusals: proc and sysfs are mounted on a directory, never through a link") {
  in_mount_namespace([] {
    const Root root;
    rmdir("/tmp/root/proc");
    rmdir("/tmp/root/sys");
    EXPECT(symlink("/dir", "/tmp/root/proc") == 0 && symlink("../outside", "/tmp/root/sys") == 0);
    EXPECT_EQ(code_of(mount_beneath(root.get(), filesystem("proc", "/proc"))), "ENOTDIR");
    EXPECT_EQ(code_of(mount_beneath(root.get(), filesystem("sysfs", "/sys"))), "ENOTDIR");
    EXPECT_EQ(count_mounts("/tmp/outside"), size_t{0});
  });
}

TEST("refusals: a component that is swapped for a link meanwhile leads nowhere outside") {
  in_mount_namespace([] {
    const Root root;
    mkdir("/tmp/root/swap", 0755);
    mkdir("/tmp/outside/place", 0755);
    EXPECT_EQ(symlink("/tmp/outside", "/tmp/root/link"), 0);
    EXPECT_EQ(symlink("../../outside", "/tmp/root/other"), 0);
    std::atomic<bool> done = false;
    std::thread attacker([&done] {
      constexpr unsigned kExchange = 2;
      while (!done) {
        for (const char* link : {"/tmp/root/link", "/tmp/root/other"}) {
          syscall(SYS_renameat2, AT_FDCWD, "/tmp/root/swap", AT_FDCWD, link, kExchange);
          syscall(SYS_renameat2, AT_FDCWD, "/tmp/root/swap", AT_FDCWD, link, kExchange);
        }
      }
    });
    for (int round = 0; round < 300; round++) {
      (void)mount_beneath(root.get(), filesystem("tmpfs", "/swap/place"));
      (void)mount_beneath(root.get(), bound("/tmp/outside/file", "/swap/made"));
    }
    done = true;
    attacker.join();
    EXPECT_EQ(count_mounts(" /tmp/outside"), size_t{0});
    EXPECT(access("/tmp/outside/made", F_OK) != 0);
  });
}
