#include "core/mount/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/container/outside_mounts.h"
#include "core/ns/user_namespace.h"
#include "core/sys/file.h"
#include "support.h"
#include "support/forked.h"

// Binds that are made outside, with ids of their own.

using namespace nsbox;
using namespace nsbox::test;

namespace {

constexpr IdMapping kShift[] = {{0, 100000, 1000}};
constexpr IdMapping kWhole[] = {{0, 0, 10}, {10, 5000, 5}};

struct Source {
  UniqueFd root;
  Source() {
    for (const char* name : {"/tmp/root", "/tmp/root/dir", "/tmp/source", "/tmp/source/below"})
      mkdir(name, 0755);
    const UniqueFd file(open("/tmp/source/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    EXPECT_EQ(fchown(file.get(), 7, 8), 0);
    root = UniqueFd(open("/tmp/root", O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
};

Mount bind_of_source(std::initializer_list<std::string_view> options) {
  Mount mount;
  mount.destination = "/dir";
  mount.source = "/tmp/source";
  add_mount_option(mount, "bind");
  for (const std::string_view option : options) add_mount_option(mount, option);
  return mount;
}

struct stat info_of(const char* path) {
  struct stat info = {};
  EXPECT_EQ(stat(path, &info), 0);
  return info;
}

}  // namespace

TEST("user namespace: made with its maps, and nobody stays in it") {
  if (!is_privileged()) return skip("needs root");
  in_fork([] {
    MUST(made, make_user_namespace(kWhole, kShift));
    EXPECT(name_of_fd(made.get()).starts_with("user:["));
    EXPECT(waitpid(-1, nullptr, __WALL) < 0 && errno == ECHILD);
    EXPECT_EQ(setns(made.get(), CLONE_NEWUSER), 0);
    EXPECT(read_file_at(AT_FDCWD, "/proc/self/uid_map")->view().find("5000          5") !=
           std::string_view::npos);
  });
}

TEST("idmap: owners are those of the mapping, in the mount alone or in all below") {
  in_mount_namespace([] {
    const Source source;
    EXPECT_EQ(mount("below", "/tmp/source/below", "tmpfs", 0, "uid=7"), 0);
    MUST(ids, make_user_namespace(kShift, kShift));
    for (const bool all : {false, true}) {
      Mount mount = bind_of_source({"rbind", all ? "ridmap" : "idmap"});
      MUST(made, prepare_bind(mount, ids.get(), 0));
      mount.prepared = made.get();
      MUST(mounted, mount_beneath(source.root.get(), mount));
      const auto file = info_of("/tmp/root/dir/file");
      EXPECT(file.st_uid == 100007 && file.st_gid == 100008);
      EXPECT_EQ(info_of("/tmp/root/dir/below").st_uid, all ? 100007U : 7U);
    }
    EXPECT_EQ(info_of("/tmp/source/file").st_uid, 7U);
    // Without somebody outside who has made it, it is refused.
    EXPECT_EQ(code_of(mount_beneath(source.root.get(), bind_of_source({"idmap"}))), "EINVAL");
    EXPECT_EQ(code_of(prepare_bind(bind_of_source({"idmap"}), -1, 0)), "EINVAL");
  });
}

TEST("prepared: options hold, and a copy is no peer of what it was copied from unless that is asked for") {
  in_mount_namespace([] {
    const Source source;
    EXPECT_EQ(mount("s", "/tmp/source", "tmpfs", 0, nullptr), 0);
    EXPECT_EQ(mount(nullptr, "/tmp/source", nullptr, MS_SHARED, nullptr), 0);
    const std::pair<uint64_t, const char*> kinds[] = {
        {0, " master:"}, {MS_PRIVATE | MS_REC, " - "}, {MS_SHARED, " shared:"}, {MS_UNBINDABLE, " - "}};
    for (const auto& [requested, shown] : kinds) {
      Mount mount = bind_of_source({"ro", "nosuid"});
      MUST(made, prepare_bind(mount, -1, requested));
      mount.prepared = made.get();
      MUST(mounted, mount_beneath(source.root.get(), mount));
      const std::string line = mountinfo("/tmp/root/dir");
      EXPECT(line.find(shown) != std::string::npos && line.find(" ro,nosuid") != std::string::npos);
      EXPECT_EQ(line.find(" shared:") != std::string::npos, requested == MS_SHARED);
    }
  });
}

TEST("outside mounts: what the source's mount forbids is locked in the user namespace") {
  in_mount_namespace([] {
    const Source source;
    EXPECT_EQ(chmod("/tmp/source", 0700), 0);
    EXPECT_EQ(mount("/tmp/source", "/tmp/source", nullptr, MS_BIND, nullptr), 0);
    EXPECT_EQ(mount(nullptr, "/tmp/source", nullptr, MS_BIND | MS_REMOUNT | MS_NOSUID | MS_RDONLY, nullptr),
              0);
    MUST(ids, make_user_namespace(kShift, kShift));
    Vector<Mount> mounts = {bind_of_source({}), bind_of_source({"idmap"}), Mount()};
    mounts[0].prepare = mounts[1].prepare = true;
    EXPECT_EQ(chdir("/tmp/root"), 0);
    MUST(made, make_outside_mounts(mounts, ids.get(), 0));
    EXPECT_EQ(made.size(), size_t{2});
    in_fork([&] {
      EXPECT(setns(ids.get(), CLONE_NEWUSER) == 0 && unshare(CLONE_NEWNS) == 0);
      EXPECT(setresgid(0, 0, 0) == 0 && setresuid(0, 0, 0) == 0);
      const UniqueFd root(open("/tmp/root", O_PATH | O_DIRECTORY | O_CLOEXEC));
      EXPECT_EQ(code_of(mount_beneath(root.get(), bind_of_source({}))), "ok");
      EXPECT(access("/tmp/root/dir/file", F_OK) != 0 && errno == EACCES);
      for (size_t i = 0; i < 2; i++) {
        mounts[i].prepared = made[i].get();
        MUST(mounted, mount_beneath(root.get(), mounts[i]));
        for (const unsigned long flags : {MS_NOSUID, MS_RDONLY})
          EXPECT(mount(nullptr, "/tmp/root/dir", nullptr, MS_BIND | MS_REMOUNT | flags, nullptr) != 0);
      }
      // Of the second: the directory is its own there, by the mapping.
      EXPECT_EQ(info_of("/tmp/root/dir/file").st_uid, 7U);
    });
    mounts[0].source = "/tmp/nothing";
    EXPECT_EQ(told(make_outside_mounts(mounts, ids.get(), 0)),
              "mount /tmp/nothing on /dir: open the source /tmp/nothing: no such file or directory");
    EXPECT(waitpid(-1, nullptr, __WALL) < 0 && errno == ECHILD);
  });
}
