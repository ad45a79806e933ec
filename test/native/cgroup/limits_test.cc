#include "core/cgroup/limits.h"

#include "core/cgroup/stats.h"
#include "support.h"
#include "test.h"

using namespace nsbox;
using namespace nsbox::cgroup;
using namespace nsbox::test;

TEST("cgroup limits: v1's values on v2's scales") {
  EXPECT_EQ(cpu_weight(2), 1U);
  EXPECT_EQ(cpu_weight(1024), 39U);
  EXPECT_EQ(cpu_weight(262144), 10000U);
  EXPECT_EQ(io_weight(10), 1U);
  EXPECT_EQ(io_weight(1000), 10000U);
}

TEST("cgroup limits: need the controllers that set them, and no others") {
  EXPECT(needed_controllers({}).empty());
  EXPECT(needed_controllers({.memory = {.limit = 0, .swap = 0}}).empty());
  EXPECT(needed_controllers({.memory = {.swappiness = 0}}) == Controllers{Controller::kMemory});
  EXPECT(needed_controllers({.cpu = {.shares = 2, .cpus = "0"}, .pids = 0}) ==
         (Controllers{Controller::kCpu, Controller::kCpuset, Controller::kPids}));
  EXPECT(needed_controllers({.unified = {{"io.max", "x"}, {"cgroup.max.depth", "1"}}}) ==
         (Controllers{Controller::kBlkio, Controller::kUnified}));
}

TEST("cgroup limits: v1 files have what was asked for") {
  if (!on_v1(kLimiting)) return;
  TestParent parent(kLimiting);
  if (!parent) return;
  auto box = must(create_group(parent->groups, "box", kLimiting));
  const Limits limits = {
      .memory = {.limit = 64 * kMiB,
                 .reservation = 32 * kMiB,
                 .swap = 128 * kMiB,
                 .kernel_tcp = 8 * kMiB,
                 .swappiness = 10,
                 .disable_oom_killer = true},
      .cpu = {.shares = 512, .quota = 50'000, .period = 200'000, .burst = 10'000, .cpus = "0", .mems = "0"},
      .pids = -1,
      .block_io = {.weight = 300},
  };
  EXPECT_EQ(outcome(apply_limits(box, limits)), "ok");
  EXPECT_EQ(memory_of(box), "67108864 134217728");
  EXPECT_EQ(read_in(box, Controller::kMemory, "memory.soft_limit_in_bytes"), "33554432");
  EXPECT_EQ(read_in(box, Controller::kMemory, "memory.swappiness"), "10");
  EXPECT(read_in(box, Controller::kMemory, "memory.oom_control").starts_with("oom_kill_disable 1"));
  EXPECT_EQ(read_in(box, Controller::kCpu, "cpu.shares"), "512");
  EXPECT_EQ(read_in(box, Controller::kCpu, "cpu.cfs_quota_us"), "50000");
  EXPECT_EQ(read_in(box, Controller::kCpu, "cpu.cfs_period_us"), "200000");
  EXPECT_EQ(read_in(box, Controller::kCpu, "cpu.cfs_burst_us"), "10000");
  EXPECT_EQ(read_in(box, Controller::kCpuset, "cpuset.cpus"), "0");
  EXPECT_EQ(read_in(box, Controller::kPids, "pids.max"), "max");
  EXPECT_EQ(read_in(box, Controller::kBlkio, "blkio.bfq.weight"), "300");
}

TEST("cgroup limits: memory and swap go up, down and away in any order") {
  if (!on_v1({Controller::kMemory})) return;
  TestParent parent({Controller::kMemory});
  if (!parent) return;
  auto box = must(create_group(parent->groups, "box", {Controller::kMemory}));
  const std::string unlimited = memory_of(box);
  const auto set = [&](int64_t limit, int64_t swap) {
    return outcome(apply_limits(box, {.memory = {.limit = limit, .swap = swap}}));
  };
  EXPECT_EQ(set(64 * kMiB, 64 * kMiB), "ok");
  EXPECT_EQ(set(256 * kMiB, 512 * kMiB), "ok");
  EXPECT_EQ(memory_of(box), "268435456 536870912");
  EXPECT_EQ(set(32 * kMiB, 32 * kMiB), "ok");
  EXPECT_EQ(set(32 * kMiB, -1), "ok");
  EXPECT_EQ(set(16 * kMiB, 48 * kMiB), "ok");
  EXPECT_EQ(outcome(apply_limits(box, {.memory = {.limit = -1}})), "ok");
  EXPECT_EQ(memory_of(box), unlimited);
}

TEST("cgroup limits: a limit that cannot be set says which, at what value, and why") {
  if (!on_v1({Controller::kMemory, Controller::kCpu, Controller::kCpuset, Controller::kBlkio})) return;
  TestParent parent(kLimiting);
  if (!parent) return;
  auto box = must(create_group(parent->groups, "box", kLimiting));
  EXPECT_EQ(outcome(apply_limits(box, {.cpu = {.cpus = "999"}})),
            "set cpu set to 999 (cpuset.cpus): ERANGE (Numerical result out of range): not among those of "
            "the group above");
  EXPECT_EQ(outcome(apply_limits(box, {.cpu = {.period = 1}})),
            "set cpu period to 1 (cpu.cfs_period_us): EINVAL (Invalid argument): out of range, or more than "
            "the group "
            "above has");
  EXPECT_EQ(apply_limits(box, {.memory = {.limit = 2 * kMiB, .swap = kMiB}}).err(), EINVAL);
  EXPECT_EQ(apply_limits(box, {.memory = {.limit = -1, .swap = kMiB}}).err(), EINVAL);
  EXPECT_EQ(apply_limits(box, {.block_io = {.leaf_weight = 10}}).err(), ENOENT);
}

TEST("cgroup limits: a limit without its controller is told apart from one that is wrong") {
  if (!is_root()) return;
  TestParent parent({Controller::kPids});
  if (!parent) return;
  auto box = must(create_group(parent->groups, "box", {Controller::kPids}));
  const Status memory = apply_limits(box, {.memory = {.limit = kMiB}});
  EXPECT_EQ(memory.err(), kNoController);
  EXPECT_EQ(outcome(memory),
            "set memory limits: the cgroup controller memory is not available to this group");
  EXPECT_EQ(apply_limits(box, {.network_class = 1}).err(), kNoController);
  EXPECT_EQ(apply_limits(box, {.unified = {{"memory.high", "1"}}}).err(), kNoController);
  EXPECT_EQ(outcome(parent->require({Controller::kPids})), "ok");
  EXPECT_EQ(parent->require({Controller::kRdma}).err(), kNoController);
}

TEST("cgroup limits: checkBeforeUpdate keeps a limit from being put below what is used") {
  if (!is_root()) return;
  TestParent parent({Controller::kMemory});
  if (!parent) return;
  auto box = must(create_group(parent->groups, "box", {Controller::kMemory}));
  Child child(box, [] {
    volatile char* memory = new char[4 << 20];
    for (int i = 0; i < 4 << 20; i += 4096) memory[i] = 1;
    return sleep_for_ever();
  });
  while (must(read_stats(box)).memory.current.value_or(0) < 3 * kMiB) {
  }
  EXPECT_EQ(apply_limits(box, {.memory = {.limit = kMiB, .check_before_update = true}}).err(), EBUSY);
  EXPECT_EQ(outcome(apply_limits(box, {.memory = {.limit = 64 * kMiB, .check_before_update = true}})), "ok");
}

TEST("cgroup limits: unified entries are limits, not commands") {
  if (!is_root()) return;
  TestParent parent({Controller::kUnified});
  if (!parent) return;
  auto box = must(create_group(parent->groups, "box", {Controller::kUnified}));
  for (const char* bad : {"cgroup.procs", "cgroup.kill", "cgroup.subtree_control", "../cgroup.max.depth",
                          ".x", "", "nonsense", "unified.x"})
    EXPECT_EQ(apply_limits(box, {.unified = {{bad, "1"}}}).err(), EINVAL);
  EXPECT_EQ(outcome(apply_limits(box, {.unified = {{"cgroup.max.descendants", "7\n"}}})), "ok");
  EXPECT_EQ(read_in(box, Controller::kUnified, "cgroup.max.descendants"), "7");
}

TEST("cgroup limits: huge pages, where v2 has the controller") {
  if (!is_root()) return;
  TestParent parent({Controller::kHugetlb});
  if (!parent || !parent->groups.controllers().has(Controller::kHugetlb))
    return skip("no hugetlb controller");
  auto box = must(create_group(parent->groups, "box", {Controller::kHugetlb}));
  EXPECT_EQ(outcome(apply_limits(box, {.hugepages = {{"2MB", 4 << 20}}})), "ok");
  EXPECT_EQ(read_in(box, Controller::kHugetlb, "hugetlb.2MB.max"), "4194304");
  EXPECT_EQ(read_in(box, Controller::kHugetlb, "hugetlb.2MB.rsvd.max"), "4194304");
  EXPECT_EQ(apply_limits(box, {.hugepages = {{"3MB", 1}}}).err(), ENOENT);
  EXPECT_EQ(apply_limits(box, {.hugepages = {{"../x", 1}}}).err(), EINVAL);
}
