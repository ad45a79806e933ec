#include "core/cgroup/layout.h"

#include "test.h"

using namespace nsbox;
using namespace nsbox::cgroup;

namespace {

std::string path_of(const Layout& layout, Controller controller) {
  const HierarchyLayout* found = layout.find(controller);
  if (!found) return "(none)";
  if (!found->shows_own) return "(not shown)";
  const std::string below(found->own_path.view());
  return std::string(found->mount_point.view()) + (below.empty() ? "" : "/") + below;
}

constexpr std::string_view kSystemd =
    "24 31 0:22 / /proc rw,nosuid,nodev,noexec,relatime shared:13 - proc proc rw\n"
    "35 25 0:30 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

constexpr std::string_view kHybrid =
    "31 23 0:28 / /sys/fs/cgroup ro,nosuid shared:7 - tmpfs tmpfs ro,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/unified rw,relatime shared:8 - cgroup2 cgroup2 rw\n"
    "33 31 0:30 / /sys/fs/cgroup/systemd rw,relatime shared:9 - cgroup cgroup rw,xattr,name=systemd\n"
    "34 31 0:31 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:10 - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:11 - cgroup cgroup rw,memory\n"
    "36 31 0:33 / /sys/fs/cgroup/net_cls,net_prio rw,relatime - cgroup cgroup rw,net_cls,net_prio\n";
constexpr std::string_view kHybridOwn =
    "5:net_cls,net_prio:/\n"
    "4:memory:/user.slice/user-1000.slice\n"
    "3:cpu,cpuacct:/user.slice\n"
    "1:name=systemd:/user.slice/user-1000.slice/session-2.scope\n"
    "0::/user.slice/user-1000.slice/session-2.scope\n";

}  // namespace

TEST("cgroup layout: a machine with v2 alone has all controllers there") {
  const Layout layout = parse_layout(kSystemd, "0::/user.slice/user-1000.slice/session-2.scope\n");
  EXPECT_EQ(layout.hierarchies.size(), 1U);
  EXPECT_EQ(path_of(layout, Controller::kMemory),
            "/sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope");
  EXPECT(layout.find(Controller::kUnified) == layout.find(Controller::kDevices));
  EXPECT(layout.find(Controller::kNetCls) == nullptr);
}

TEST("cgroup layout: hybrid gives v2 what no v1 hierarchy has") {
  const Layout layout = parse_layout(kHybrid, kHybridOwn);
  EXPECT_EQ(path_of(layout, Controller::kMemory), "/sys/fs/cgroup/memory/user.slice/user-1000.slice");
  EXPECT(layout.find(Controller::kMemory)->version == Version::kV1);
  EXPECT(layout.find(Controller::kPids)->version == Version::kV2);
  EXPECT(!layout.find(Controller::kUnified)->controllers.has(Controller::kMemory));
}

TEST("cgroup layout: controllers mounted together are one hierarchy") {
  const Layout layout = parse_layout(kHybrid, kHybridOwn);
  EXPECT(layout.find(Controller::kCpu) == layout.find(Controller::kCpuacct));
  EXPECT_EQ(path_of(layout, Controller::kCpu), "/sys/fs/cgroup/cpu,cpuacct/user.slice");
  EXPECT_EQ(path_of(layout, Controller::kNetPrio), "/sys/fs/cgroup/net_cls,net_prio");
}

TEST("cgroup layout: a container without a cgroup namespace sees its part of v1") {
  const Layout layout = parse_layout(
      "100 99 0:31 /docker/abc /sys/fs/cgroup/memory ro,nosuid - cgroup cgroup rw,memory\n"
      "101 99 0:32 /docker/abc /sys/fs/cgroup/pids rw,nosuid - cgroup cgroup rw,pids\n",
      "2:memory:/docker/abc/inner\n1:pids:/docker/abc\n");
  EXPECT_EQ(path_of(layout, Controller::kMemory), "/sys/fs/cgroup/memory/inner");
  EXPECT(layout.find(Controller::kMemory)->access == Access::kReadOnly);
  EXPECT_EQ(path_of(layout, Controller::kPids), "/sys/fs/cgroup/pids");
  EXPECT(layout.find(Controller::kPids)->access == Access::kReadWrite);
}

TEST("cgroup layout: a container with a cgroup namespace starts at its root") {
  const Layout layout =
      parse_layout("100 99 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n", "2:memory:/\n");
  EXPECT_EQ(path_of(layout, Controller::kMemory), "/sys/fs/cgroup/memory");
}

TEST("cgroup layout: a mount that does not show our group is told apart") {
  constexpr std::string_view kMount =
      "100 99 0:31 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
  for (const char* own :
       {"2:memory:/\n", "2:memory:/docker/abcd\n", "2:memory:/../x\n", "2:memory:/docker/abc/x (deleted)\n"})
    EXPECT_EQ(path_of(parse_layout(kMount, own), Controller::kMemory), "(not shown)");
  const Layout outside =
      parse_layout("100 99 0:31 /../.. /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n", "2:memory:/\n");
  EXPECT_EQ(path_of(outside, Controller::kMemory), "(not shown)");
}

TEST("cgroup layout: of two mounts the one that shows our group and can be written counts") {
  const Layout layout = parse_layout(
      "1 0 0:31 /other /host/memory rw - cgroup cgroup rw,memory\n"
      "2 0 0:31 / /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
      "3 0 0:31 / /mnt/my\\040groups rw - cgroup cgroup rw,memory\n",
      "2:memory:/a\n");
  EXPECT_EQ(path_of(layout, Controller::kMemory), "/mnt/my groups/a");
}

TEST("cgroup layout: broken lines are passed over") {
  const Layout layout =
      parse_layout("\n1 2\n1 0 0:1 / /x rw - cgroup\n - cgroup cgroup rw,memory\n", "\n:\n4:\n0:\n");
  for (const HierarchyLayout& each : layout.hierarchies) EXPECT(!each.shows_own);
}
