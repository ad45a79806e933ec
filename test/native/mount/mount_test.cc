#include "core/mount/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/mount/masks.h"
#include "core/sys/file.h"
#include "support/forked.h"
#include "support/workspace.h"

// Every body runs in a mount namespace that ends with it, with a tmpfs on /tmp.

using namespace nsbox;
using namespace nsbox::test;

namespace {

struct Root {
  Workspace work;
  UniqueFd fd;
  Root() {
    work.file("outside/file", "outside");
    work.file("root/etc/file", "inside");
    work.directory("root/dir");
    work.link("root/escape", work.path("outside"));
    fd = UniqueFd(openat(work.fd(), "root", O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  int get() const { return fd.get(); }
  std::string path(const std::string& name) const { return work.path("root/" + name); }
  ~Root() {
    while (umount2(work.path("root/dir").c_str(), MNT_DETACH) == 0) {
    }
    while (umount2(work.path("root/etc/file").c_str(), MNT_DETACH) == 0) {
    }
    while (umount2(work.path("root/new/place").c_str(), MNT_DETACH) == 0) {
    }
  }
};

unsigned long flags_of(const std::string& path) {
  struct statfs info = {};
  return statfs(path.c_str(), &info) == 0 ? static_cast<unsigned long>(info.f_flags) : ~0UL;
}

bool is_mounted(const std::string& path) {
  auto text = read_file_at(AT_FDCWD, "/proc/self/mountinfo");
  return text && text->view().find(" " + path + " ") != std::string_view::npos;
}

Mount tmpfs(std::string_view destination) {
  Mount mount;
  mount.destination = destination;
  mount.type = "tmpfs";
  mount.source = "tmpfs";
  return mount;
}

Mount bound(std::string_view source, std::string_view destination) {
  Mount mount;
  mount.destination = destination;
  mount.source = source;
  mount.bind = true;
  return mount;
}

// What holds with the new mount API and with the old one alike.
void mounts_a_file_system() {
  const Root root;
  Mount mount = tmpfs("/dir");
  mount.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  mount.data.push_back("size=64k");
  mount.data.push_back("mode=751");
  MUST(made, mount_beneath(root.get(), mount));
  EXPECT(is_mounted(root.path("dir")));
  EXPECT_EQ(flags_of(root.path("dir")) & (ST_RDONLY | ST_NOSUID | 4 | 8), ST_RDONLY | ST_NOSUID | 4 | 8UL);
  EXPECT_EQ(root.work.mode_of("root/dir"), 0751U);
}

void makes_missing_targets() {
  const Root root;
  MUST(made, mount_beneath(root.get(), tmpfs("/new/place")));
  EXPECT(is_mounted(root.path("new/place")));
}

void binds_a_directory_read_only() {
  const Root root;
  const std::string source = root.work.path("outside");
  Mount mount = bound(source, "/dir");
  mount.set = MOUNT_ATTR_RDONLY;
  MUST(made, mount_beneath(root.get(), mount));
  EXPECT_EQ(root.work.read("root/dir/file"), "outside");
  EXPECT(open((root.path("dir") + "/file").c_str(), O_WRONLY | O_CLOEXEC) < 0 && errno == EROFS);
  EXPECT(!(flags_of(root.work.path("outside")) & ST_RDONLY));
}

void binds_a_file_on_a_file() {
  const Root root;
  const std::string source = root.work.path("outside/file");
  MUST(made, mount_beneath(root.get(), bound(source, "/etc/file")));
  EXPECT_EQ(root.work.read("root/etc/file"), "outside");
}

void keeps_links_inside() {
  const Root root;
  EXPECT(!mount_beneath(root.get(), tmpfs("/escape/inner")));
  EXPECT(!mount_beneath(root.get(), tmpfs("/escape")));
  EXPECT(!is_mounted(root.work.path("outside")) && !root.work.exists("outside/inner"));
  MUST(up, mount_beneath(root.get(), tmpfs("../../dir")));
  EXPECT(is_mounted(root.path("dir")));
}

void follows_no_source_link_when_told() {
  const Root root;
  const std::string source = root.work.path("root/escape");
  Mount mount = bound(source, "/dir");
  mount.source_nofollow = true;
  EXPECT(!mount_beneath(root.get(), mount));
  EXPECT(!is_mounted(root.path("dir")));
}

void makes_paths_read_only() {
  const Root root;
  Vector<std::string_view> paths;
  paths.push_back("/dir");
  paths.push_back("/absent");
  EXPECT_EQ(told(make_paths_readonly(root.get(), paths)), "ok");
  EXPECT(flags_of(root.path("dir")) & ST_RDONLY);
}

using Case = void (*)();
constexpr Case kCases[] = {mounts_a_file_system,   makes_missing_targets, binds_a_directory_read_only,
                           binds_a_file_on_a_file, keeps_links_inside,    follows_no_source_link_when_told,
                           makes_paths_read_only};

}  // namespace

TEST("mount: as root, with the new calls") {
  for (const Case each : kCases) in_mount_namespace(each);
}

TEST("mount: in a user namespace, with the new calls") {
  for (const Case each : kCases) in_user_namespace(each);
}

TEST("mount: as root, where the kernel has no mount_setattr (before 5.12)") {
  for (const Case each : kCases)
    in_mount_namespace([each] {
      refuse_calls({SYS_mount_setattr}, ENOSYS);
      each();
    });
}

TEST("mount: in a user namespace, where the kernel has no mount_setattr") {
  for (const Case each : kCases)
    in_user_namespace([each] {
      refuse_calls({SYS_mount_setattr}, ENOSYS);
      each();
    });
}

TEST("mount: as root, where the kernel has none of the new calls") {
  for (const Case each : kCases) {
    if (each == makes_paths_read_only) continue;  // A detached copy is what it is made of.
    in_mount_namespace([each] {
      refuse_calls({SYS_fsopen, SYS_fsmount, SYS_fsconfig, SYS_open_tree, SYS_mount_setattr}, ENOSYS);
      each();
    });
  }
}

TEST("mount: an error names source, target and what failed") {
  in_mount_namespace([] {
    const Root root;
    EXPECT_EQ(told(mount_beneath(root.get(), bound("/nowhere", "/dir"))),
              "mount /nowhere on /dir: open the source /nowhere: no such file or directory");
    Mount unknown = tmpfs("/dir");
    unknown.type = "nosuchfs";
    EXPECT_EQ(told(mount_beneath(root.get(), unknown))
                  .find("mount nosuchfs on /dir: this kernel has no file system nosuchfs: ENODEV"),
              size_t{0});
    Mount option = tmpfs("/dir");
    option.data.push_back("colour=blue");
    EXPECT_EQ(told(mount_beneath(root.get(), option)),
              "mount tmpfs on /dir: option colour=blue: tmpfs: Unknown parameter 'colour': EINVAL (Invalid "
              "argument)");
    option.data = {"size=1k,mode=755,nr_inodes=many"};
    EXPECT_EQ(told(mount_beneath(root.get(), option)),
              "mount tmpfs on /dir: option nr_inodes=many: tmpfs: Bad value for 'nr_inodes': EINVAL (Invalid "
              "argument)");
    EXPECT(!is_mounted(root.path("dir")));
  });
}

TEST("mount: recursive attributes reach the mounts below") {
  in_mount_namespace([] {
    const Root root;
    root.work.directory("source/below");
    const std::string source = root.work.path("source");
    EXPECT_EQ(mount("t", root.work.path("source/below").c_str(), "tmpfs", 0, nullptr), 0);
    Mount mount = bound(source, "/dir");
    mount.bind_recursive = true;
    mount.set_recursive = MOUNT_ATTR_RDONLY;
    MUST(made, mount_beneath(root.get(), mount));
    EXPECT(flags_of(root.path("dir")) & ST_RDONLY && flags_of(root.path("dir/below")) & ST_RDONLY);
    umount2(root.work.path("source/below").c_str(), MNT_DETACH);
  });
}

TEST("mount: a propagation is set") {
  in_mount_namespace([] {
    const Root root;
    Mount mount = tmpfs("/dir");
    mount.propagations.push_back(MS_SHARED);
    MUST(made, mount_beneath(root.get(), mount));
    auto text = read_file_at(AT_FDCWD, "/proc/self/mountinfo");
    const size_t line = text->view().find(" " + root.path("dir") + " ");
    EXPECT(text->view().substr(line).substr(0, text->view().substr(line).find('\n')).find("shared:") !=
           std::string_view::npos);
  });
}
