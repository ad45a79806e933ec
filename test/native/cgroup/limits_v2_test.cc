#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cstring>

#include "core/cgroup/events.h"
#include "core/cgroup/limits.h"
#include "core/cgroup/stats.h"
#include "support.h"
#include "test.h"

using namespace nsbox;
using namespace nsbox::cgroup;
using namespace nsbox::test;

TEST("cgroup limits v2: files have what was asked for") {
  if (!on_v2(kLimiting)) return;
  TestParent parent(kLimiting);
  if (!parent) return;
  EXPECT_EQ(outcome(parent->require(kLimiting)), "ok");
  auto box = must(create_group(parent->groups, "box", kLimiting));
  const Limits limits = {
      .memory = {.limit = 64 * kMiB, .reservation = 32 * kMiB, .swap = 128 * kMiB},
      .cpu = {.shares = 1024, .quota = 50'000, .period = 200'000, .burst = 10'000, .cpus = "0", .mems = "0"},
      .pids = 17,
      .block_io = {.weight = 500},
      .unified = {{"memory.high", "50331648"}},
  };
  EXPECT_EQ(outcome(apply_limits(box, limits)), "ok");
  EXPECT_EQ(memory_of(box), "67108864 67108864");
  EXPECT_EQ(read_in(box, Controller::kMemory, "memory.low"), "33554432");
  EXPECT_EQ(read_in(box, Controller::kMemory, "memory.high"), "50331648");
  EXPECT_EQ(read_in(box, Controller::kCpu, "cpu.weight"), "39");
  EXPECT_EQ(read_in(box, Controller::kCpu, "cpu.max"), "50000 200000");
  EXPECT_EQ(read_in(box, Controller::kCpu, "cpu.max.burst"), "10000");
  EXPECT_EQ(read_in(box, Controller::kCpuset, "cpuset.cpus"), "0");
  EXPECT_EQ(read_in(box, Controller::kPids, "pids.max"), "17");
}

TEST("cgroup limits v2: a part that is not given stays as it was") {
  if (!on_v2(kLimiting)) return;
  TestParent parent(kLimiting);
  if (!parent) return;
  auto box = must(create_group(parent->groups, "box", kLimiting));
  EXPECT_EQ(outcome(apply_limits(box, {.cpu = {.quota = 50'000, .period = 200'000}})), "ok");
  EXPECT_EQ(outcome(apply_limits(box, {.cpu = {.period = 100'000}})), "ok");
  EXPECT_EQ(read_in(box, Controller::kCpu, "cpu.max"), "50000 100000");
  EXPECT_EQ(outcome(apply_limits(box, {.cpu = {.quota = -1}})), "ok");
  EXPECT_EQ(read_in(box, Controller::kCpu, "cpu.max"), "max 100000");
  EXPECT_EQ(outcome(apply_limits(box, {.memory = {.limit = 64 * kMiB, .swap = 64 * kMiB}})), "ok");
  EXPECT_EQ(memory_of(box), "67108864 0");
  EXPECT_EQ(outcome(apply_limits(box, {.memory = {.limit = -1}})), "ok");
  EXPECT_EQ(memory_of(box), "max max");
}

TEST("cgroup limits v2: what v2 has nothing like is refused") {
  if (!on_v2(kLimiting)) return;
  TestParent parent(kLimiting);
  if (!parent) return;
  auto box = must(create_group(parent->groups, "box", kLimiting));
  EXPECT_EQ(apply_limits(box, {.memory = {.swappiness = 10}}).err(), EINVAL);
  EXPECT_EQ(apply_limits(box, {.memory = {.disable_oom_killer = true}}).err(), EINVAL);
  EXPECT_EQ(apply_limits(box, {.memory = {.swap = 64 * kMiB}}).err(), EINVAL);
  EXPECT_EQ(apply_limits(box, {.cpu = {.realtime_runtime = 1000}}).err(), EINVAL);
  EXPECT_EQ(apply_limits(box, {.block_io = {.leaf_weight = 10}}).err(), EINVAL);
  EXPECT_EQ(apply_limits(box, {.network_class = 1}).err(), kNoController);
}

TEST("cgroup limits v2: a hog is killed, counted and announced") {
  if (!on_v2(kLimiting)) return;
  TestParent parent(kLimiting);
  if (!parent) return;
  auto box = must(create_group(parent->groups, "box", kLimiting));
  EXPECT_EQ(outcome(apply_limits(box, {.memory = {.limit = 16 * kMiB, .swap = 16 * kMiB}})), "ok");
  auto watch = must(OomWatch::open(box));
  if (!watch) return fail(__FILE__, __LINE__, "a watch");
  pollfd wait = {watch->fd(), watch->poll_events(), 0};
  EXPECT_EQ(poll(&wait, 1, 0), 0);
  Child hog(box, [] {
    void* memory = mmap(nullptr, 64 * kMiB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(memory, 1, 64 * kMiB);
    return 0;
  });
  EXPECT(WIFSIGNALED(hog.wait()));
  uint64_t kills = 0;
  while (kills == 0 && poll(&wait, 1, 60'000) == 1) kills = must(watch->read());
  EXPECT_EQ(kills, 1U);
  const Stats stats = must(read_stats(box));
  EXPECT(stats.memory.oom_kills == 1U && stats.memory.limit_hits > 0U &&
         stats.memory.limit == uint64_t{16 * kMiB});
  EXPECT(stats.memory.swap_limit == 0U && stats.cpu.usage_ns > 0U && stats.pids.current == 0U);
}
