#include "core/container/cgroup_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/forked.h"
#include "support/workspace.h"

using namespace nsbox;
using namespace nsbox::test;

namespace {

Mount cgroups_on(std::string_view destination) {
  Mount mount;
  mount.destination = destination;
  mount.type = mount.source = "cgroup";
  return mount;
}

UniqueFd make_root() {
  for (const char* name : {"/tmp/root", "/tmp/root/proc"}) mkdir(name, 0755);
  return UniqueFd(open("/tmp/root", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

}  // namespace

TEST("cgroup mount: controllers of one hierarchy are found by each name") {
  in_mount_namespace([] {
    const UniqueFd root = make_root();
    // A directory in the place of the hierarchy: which controllers share one is settled at a machine's boot.
    for (const char* name : {"/tmp/cpu,cpuacct", "/tmp/cpu,cpuacct/own", "/tmp/cpu,cpuacct/own/here"})
      mkdir(name, 0755);
    cgroup::Layout layout;
    cgroup::HierarchyLayout& one = layout.hierarchies.emplace_back();
    one.controllers.add(cgroup::Controller::kCpu);
    one.controllers.add(cgroup::Controller::kCpuacct);
    one.mount_point = String("/tmp/cpu,cpuacct");
    one.own_path = String("own");
    EXPECT_EQ(told(mount_cgroups(root.get(), cgroups_on("/sys/fs/cgroup"), &layout)), "ok");
    for (const char* name : {"cpu", "cpuacct", "cpu,cpuacct"})
      EXPECT_EQ(access((std::string("/tmp/root/sys/fs/cgroup/") + name + "/here").c_str(), F_OK), 0);
    char text[32] = {};
    EXPECT(readlink("/tmp/root/sys/fs/cgroup/cpu", text, sizeof text - 1) > 0 &&
           std::string(text) == "cpu,cpuacct");
    EXPECT(symlink("x", "/tmp/root/sys/fs/cgroup/new") != 0 && errno == EROFS);
  });
}

TEST("cgroup mount: not on /proc, nor through a link out of the root") {
  in_mount_namespace([] {
    const UniqueFd root = make_root();
    mkdir("/tmp/outside", 0755);
    EXPECT_EQ(symlink("/proc", "/tmp/root/link"), 0);
    EXPECT_EQ(symlink("../outside", "/tmp/root/out"), 0);
    for (const char* place : {"/proc", "/link", "/x/../proc"})
      EXPECT(!mount_cgroups(root.get(), cgroups_on(place)));
    EXPECT(!mount_cgroups(root.get(), cgroups_on("/out")));
    EXPECT(access("/tmp/outside/cpu", F_OK) != 0);
  });
}
