#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstring>

#include "core/layer/copy.h"
#include "core/mount/mount.h"
#include "core/sys/file.h"
#include "support.h"
#include "support/forked.h"

// Mounts of file systems with what the runtime adds to them, in a mount namespace that ends with the body.

using namespace nsbox;
using namespace nsbox::test;

namespace {

struct Root : RootInTmp {
  Root() : RootInTmp({"proc", "sys"}) { put("/tmp/root/file", "inside"); }
};

struct stat info_of(const char* path) {
  struct stat info = {};
  EXPECT_EQ(lstat(path, &info), 0);
  return info;
}

unsigned long flags_of(const char* path) {
  struct statfs info = {};
  return statfs(path, &info) == 0 ? static_cast<unsigned long>(info.f_flags) : ~0UL;
}

}  // namespace

TEST("tmpfs: has mode and owner of the directory below, unless told") {
  in_mount_namespace([] {
    const Root root;
    EXPECT(chmod("/tmp/root/dir", 02751) == 0 && chown("/tmp/root/dir", 7, 8) == 0);
    MUST(kept, mount_beneath(root.get(), filesystem("tmpfs", "/dir", {"ro", "size=64k"})));
    const auto info = info_of("/tmp/root/dir");
    EXPECT(info.st_mode == (S_IFDIR | 02751) && info.st_uid == 7 && info.st_gid == 8);
    EXPECT(mkdir("/tmp/root/dir/new", 0755) != 0 && errno == EROFS);
    MUST(told_so, mount_beneath(root.get(), filesystem("tmpfs", "/dir", {"mode=700,uid=5"})));
    const auto other = info_of("/tmp/root/dir");
    EXPECT(other.st_mode == (S_IFDIR | 0700) && other.st_uid == 5);
    MUST(made, mount_beneath(root.get(), filesystem("tmpfs", "/fresh/place")));
    EXPECT_EQ(info_of("/tmp/root/fresh/place").st_mode, mode_t{S_IFDIR | 01777});
  });
}

TEST("tmpfs: tmpcopyup begins with a copy of what lies below") {
  in_mount_namespace([] {
    const Root root;
    EXPECT(mkdir("/tmp/root/dir/deep", 0710) == 0 && chown("/tmp/root/dir/deep", 3, 4) == 0);
    put("/tmp/root/dir/deep/text", "copied");
    EXPECT(chmod("/tmp/root/dir/deep/text", 04751) == 0);
    EXPECT(symlink("/etc/passwd", "/tmp/root/dir/link") == 0);
    EXPECT(mknod("/tmp/root/dir/null", S_IFCHR | 0666, makedev(1, 3)) == 0);
    EXPECT(mkfifo("/tmp/root/dir/pipe", 0600) == 0);
    MUST(made, mount_beneath(root.get(), filesystem("tmpfs", "/dir", {"tmpcopyup", "ro"}), copy_tree));
    EXPECT_EQ(content("/tmp/root/dir/deep/text"), "copied");
    EXPECT_EQ(info_of("/tmp/root/dir/deep/text").st_mode, mode_t{S_IFREG | 04751});
    const auto deep = info_of("/tmp/root/dir/deep");
    EXPECT(deep.st_mode == (S_IFDIR | 0710) && deep.st_uid == 3 && deep.st_gid == 4);
    EXPECT(S_ISLNK(info_of("/tmp/root/dir/link").st_mode) && S_ISFIFO(info_of("/tmp/root/dir/pipe").st_mode));
    EXPECT(info_of("/tmp/root/dir/null").st_rdev == makedev(1, 3));
    EXPECT(flags_of("/tmp/root/dir") & ST_RDONLY);
    EXPECT(umount2("/tmp/root/dir", MNT_DETACH) == 0 && info_of("/tmp/root/dir/deep/text").st_size == 6);
  });
}

TEST("file systems: mqueue, devpts and proc with their options") {
  in_mount_namespace([] {
    const Root root;
    MUST(queue,
         mount_beneath(root.get(), filesystem("mqueue", "/dev/mqueue", {"nosuid", "noexec", "nodev"})));
    MUST(pts, mount_beneath(root.get(), filesystem("devpts", "/dev/pts",
                                                   {"newinstance", "ptmxmode=0666", "mode=0620", "gid=5"})));
    EXPECT_EQ(info_of("/tmp/root/dev/pts/ptmx").st_mode, mode_t{S_IFCHR | 0666});
    MUST(proc, mount_beneath(root.get(), filesystem("proc", "/proc", {"hidepid=2", "subset=pid"})));
    EXPECT(access("/tmp/root/proc/self/status", F_OK) == 0 && access("/tmp/root/proc/meminfo", F_OK) != 0);
    MUST(sys, mount_beneath(root.get(), filesystem("sysfs", "/sys", {"ro"})));
    EXPECT(flags_of("/tmp/root/sys") & ST_RDONLY && !(flags_of("/sys") & ST_RDONLY));
  });
}

TEST("file systems: in a user namespace without its own network, the host's sysfs is shown") {
  in_user_namespace([] {
    const Root root;
    MUST(sys, mount_beneath(root.get(), filesystem("sysfs", "/sys", {"ro", "nosuid", "nodev", "noexec"})));
    EXPECT(access("/tmp/root/sys/kernel", F_OK) == 0 && flags_of("/tmp/root/sys") & ST_RDONLY);
    MUST(pts, mount_beneath(root.get(), filesystem("devpts", "/dev/pts", {"mode=0620", "gid=5"})));
  });
}

TEST("file systems: superblock flags are set") {
  in_mount_namespace([] {
    const Root root;
    MUST(made,
         mount_beneath(root.get(), filesystem("tmpfs", "/dir", {"sync", "lazytime", "silent", "iversion"})));
    const std::string line = mountinfo("/tmp/root/dir");
    EXPECT(line.find("sync") != std::string::npos && line.find("lazytime") != std::string::npos);
  });
}

TEST("remount: changes what is there, of the file system and of a bind") {
  in_mount_namespace([] {
    const Root root;
    MUST(made, mount_beneath(root.get(), filesystem("tmpfs", "/dir", {"size=64k", "nosuid"})));
    MUST(again, mount_beneath(root.get(), filesystem("tmpfs", "/dir", {"remount", "ro", "size=128k"})));
    EXPECT(mountinfo("/tmp/root/dir").find("size=128k") != std::string::npos);
    EXPECT(flags_of("/tmp/root/dir") & ST_RDONLY);
    MUST(bind, mount_beneath(root.get(), bound("/tmp/outside", "/sys", {"nosuid"})));
    MUST(bind_again, mount_beneath(root.get(), bound("", "/sys", {"remount", "ro", "noexec"})));
    EXPECT_EQ(flags_of("/tmp/root/sys") & (ST_RDONLY | ST_NOSUID | 8), ST_RDONLY | ST_NOSUID | 8UL);
    EXPECT(!(flags_of("/tmp/outside") & ST_RDONLY));
  });
}

TEST("links: as a source bound, copied, or refused; as a destination followed inside, or covered") {
  in_mount_namespace([] {
    const Root root;
    EXPECT(symlink("file", "/tmp/outside/link") == 0 && symlink("/file", "/tmp/root/alias") == 0);
    MUST(copied, mount_beneath(root.get(), bound("/tmp/outside/link", "/new/link", {"copy-symlink"})));
    char text[16] = {};
    EXPECT(!copied && readlink("/tmp/root/new/link", text, sizeof text) == 4 && std::string(text) == "file");
    MUST(twice, mount_beneath(root.get(), bound("/tmp/outside/link", "/new/link", {"copy-symlink"})));
    EXPECT(!mount_beneath(root.get(), bound("/tmp/outside/link", "/file", {"copy-symlink"})));
    MUST(plain, mount_beneath(root.get(), bound("/tmp/outside/file", "/plain", {"copy-symlink"})));
    EXPECT_EQ(content("/tmp/root/plain"), "outside");
    MUST(followed, mount_beneath(root.get(), bound("/tmp/outside/file", "/alias")));
    EXPECT_EQ(content("/tmp/root/file"), "outside");
    EXPECT_EQ(umount2("/tmp/root/file", MNT_DETACH), 0);
    MUST(covered, mount_beneath(root.get(), bound("/tmp/outside/file", "/alias", {"dest-nofollow"})));
    EXPECT(content("/tmp/root/file") == "inside" && content("/tmp/root/alias") == "outside");
    MUST(itself, mount_beneath(root.get(), bound("/tmp/outside/link", "/placed", {"src-nofollow"})));
    EXPECT(S_ISLNK(info_of("/tmp/root/placed").st_mode));
  });
}

TEST("bind: a list of propagations is applied in its order") {
  in_mount_namespace([] {
    const Root root;
    MUST(shared, mount_beneath(root.get(), bound("/tmp/outside", "/dir", {"rprivate", "rshared"})));
    EXPECT(mountinfo("/tmp/root/dir").find("shared:") != std::string::npos);
    MUST(both, mount_beneath(root.get(), bound("/tmp/root/dir", "/sys", {"slave", "shared"})));
    const std::string line = mountinfo("/tmp/root/sys");
    EXPECT(line.find("shared:") != std::string::npos && line.find("master:") != std::string::npos);
    MUST(none, mount_beneath(root.get(), bound("/tmp/outside", "/proc2", {"unbindable"})));
    EXPECT(mountinfo("/tmp/root/proc2").find("unbindable") != std::string::npos);
  });
}

TEST("bind: flags that a user namespace has locked stay, others are added") {
  in_mount_namespace([] {
    const Root made_here;
    EXPECT_EQ(mount("t", "/tmp/outside", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME, nullptr), 0);
    for (const bool old : {false, true})
      in_fork([old] {
        EXPECT_EQ(unshare(CLONE_NEWUSER | CLONE_NEWNS), 0);
        // The same directory, in the mounts of the new namespace.
        const UniqueFd root(open("/tmp/root", O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (old) refuse_calls({SYS_mount_setattr}, ENOSYS);
        MUST(made, mount_beneath(root.get(), bound("/tmp/outside", "/dir", {"ro", "rbind"})));
        EXPECT_EQ(flags_of("/tmp/root/dir") & 0x40f, ST_RDONLY | ST_NOSUID | 4 | 8 | 0x400UL);
        EXPECT_EQ(code_of(mount_beneath(root.get(), bound("/tmp/outside", "/sys", {"suid", "rbind"}))),
                  "EPERM");
      });
  });
}
