#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>

#include "core/cgroup/events.h"
#include "core/cgroup/stats.h"
#include "support.h"
#include "test.h"

using namespace nsbox;
using namespace nsbox::cgroup;
using namespace nsbox::test;

namespace {

bool ready(int fd, short events, int timeout_ms) {
  pollfd wait = {fd, events, 0};
  return poll(&wait, 1, timeout_ms) == 1 && (wait.revents & events) != 0;
}

// Counts as fast as it can, where the test can see it.
std::atomic<uint64_t>* shared_counter() {
  void* memory = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return new (memory) std::atomic<uint64_t>(0);
}

}  // namespace

TEST("cgroup freeze: nothing runs between freeze and thaw") {
  if (!is_root()) return;
  for (const Controller freezer : {Controller::kFreezer, Controller::kUnified}) {
    TestParent parent({freezer});
    if (!parent) continue;
    auto box = must(create_group(parent->groups, "box", {freezer}));
    std::atomic<uint64_t>* counter = shared_counter();
    Child child(box, [&] {
      for (;;) counter->fetch_add(1);
      return 0;
    });
    EXPECT_EQ(outcome(freeze(box)), "ok");
    EXPECT(must(is_frozen(box)));
    const uint64_t then = counter->load();
    usleep(20'000);
    EXPECT_EQ(counter->load(), then);
    EXPECT_EQ(outcome(thaw(box)), "ok");
    EXPECT(!must(is_frozen(box)));
    while (counter->load() == then) usleep(100);
    munmap(counter, 4096);
  }
}

TEST("cgroup freeze: a group that forks all the time stands too") {
  if (!is_root()) return;
  for (const Controller freezer : {Controller::kFreezer, Controller::kUnified}) {
    TestParent parent({freezer, Controller::kPids});
    if (!parent) continue;
    auto box = must(create_group(parent->groups, "box", {freezer, Controller::kPids}));
    EXPECT_EQ(outcome(apply_limits(box, {.pids = 100})), "ok");
    Child bomb(box, fork_bomb);
    EXPECT_EQ(outcome(freeze(box)), "ok");
    EXPECT_EQ(outcome(thaw(box)), "ok");
  }
}

TEST("cgroup freeze: the freezer can be joined at the first pause") {
  if (!on_v1({Controller::kPids, Controller::kFreezer})) return;
  constexpr Controllers kLazily = {Controller::kFreezer};
  TestParent parent({Controller::kPids, Controller::kFreezer});
  if (!parent) return;
  auto box = must(create_group(parent->groups, "box", {Controller::kPids}));
  EXPECT_EQ(outcome(apply_limits(box, {.pids = 50})), "ok");
  Child bomb(box, fork_bomb);
  EXPECT_EQ(freeze(box).err(), kNoController);
  EXPECT_EQ(outcome(join(box, parent->groups, "box", kLazily)), "ok");
  EXPECT_EQ(outcome(freeze(box)), "ok");
  EXPECT_EQ(outcome(thaw(box)), "ok");
}

TEST("cgroup freeze: a group that does not freeze in time is not left half frozen") {
  if (!on_v1({Controller::kFreezer})) return;
  TestParent parent({Controller::kFreezer});
  if (!parent) return;
  auto box = must(create_group(parent->groups, "box", {Controller::kFreezer}));
  // The parent of a vfork waits where v1 may not stop it until the child goes on, which the frozen child does
  // not.
  Child child(box, [] {
    if (vfork() == 0) {
      pause();
      _exit(0);
    }
    return 0;
  });
  const Status done = freeze(box, 30'000'000);
  if (!done) EXPECT(!must(is_frozen(box)));
  if (done)
    EXPECT_EQ(outcome(thaw(box)), "ok");  // This kernel can stop it; the frozen child could not be reaped.
  EXPECT(done || done.err() == ETIMEDOUT);
}

TEST("cgroup events: an out-of-memory kill wakes the one who watches") {
  if (!is_root()) return;
  TestParent parent({Controller::kMemory});
  if (!parent) return;
  auto box = must(create_group(parent->groups, "box", {Controller::kMemory}));
  EXPECT_EQ(outcome(apply_limits(box, {.memory = {.limit = 16 << 20}})), "ok");
  auto watch = must(OomWatch::open(box));
  EXPECT(watch.has_value());
  if (!watch) return;
  EXPECT(!ready(watch->fd(), watch->poll_events(), 0));
  Child child(box, [] {
    constexpr size_t kSize = 64 << 20;
    void* memory = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(memory, 1, kSize);
    return 0;
  });
  EXPECT(ready(watch->fd(), watch->poll_events(), 10'000));
  EXPECT(WIFSIGNALED(child.wait()));
  EXPECT_EQ(must(watch->read()), 1U);
  EXPECT(!ready(watch->fd(), watch->poll_events(), 0));
}

TEST("cgroup events: the last process to leave wakes the one who watches") {
  if (!on_v1({Controller::kMemory})) return;
  TestParent parent({Controller::kUnified, Controller::kMemory});
  if (!parent) return;
  auto box = must(create_group(parent->groups, "box", {Controller::kUnified}));
  auto watch = must(PopulationWatch::open(box));
  if (!watch) return fail(__FILE__, __LINE__, "a watch");
  EXPECT(!ready(watch->fd(), watch->poll_events(), 0));
  Child child(box, sleep_for_ever);
  EXPECT(ready(watch->fd(), watch->poll_events(), 10'000));
  EXPECT(must(watch->read()).populated);
  EXPECT_EQ(outcome(freeze(box)), "ok");
  EXPECT(ready(watch->fd(), watch->poll_events(), 10'000));
  EXPECT(must(watch->read()).frozen);
  EXPECT_EQ(outcome(kill_all(box)), "ok");
  EXPECT(ready(watch->fd(), watch->poll_events(), 10'000));
  (void)child.wait();
  while (must(watch->read()).populated) EXPECT(ready(watch->fd(), watch->poll_events(), 10'000));
  EXPECT_EQ(outcome(remove(parent->groups, "box")), "ok");
  EXPECT(!must(watch->read()).populated);

  auto v1 = must(create_group(parent->groups, "v1", {Controller::kMemory}));
  EXPECT(!must(PopulationWatch::open(v1)).has_value());
}

TEST("cgroup stats: tell what a box has used") {
  if (!is_root()) return;
  constexpr Controllers kAll = {Controller::kMemory, Controller::kPids, Controller::kCpu,
                                Controller::kCpuacct, Controller::kBlkio};
  TestParent parent(kAll);
  if (!parent) return;
  auto box = must(create_group(parent->groups, "box", kAll));
  EXPECT_EQ(must(read_stats(box)).memory.limit, Count(kUnlimited));
  const Limits limits = {.memory = {.limit = 64 << 20, .swap = 96 << 20},
                         .cpu = {.quota = 20'000, .period = 100'000}};
  EXPECT_EQ(outcome(apply_limits(box, limits)), "ok");
  Child child(box, [] {
    void* memory = mmap(nullptr, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(memory, 1, 8 << 20);
    for (;;) asm volatile("");
    return 0;
  });
  Stats stats;
  do {
    stats = must(read_stats(box));
  } while (stats.cpu.usage_ns.value_or(UINT64_MAX) < 60'000'000 || !stats.cpu.throttled_periods.value_or(1));
  EXPECT(stats.memory.current >= uint64_t{8 << 20} && stats.memory.peak >= stats.memory.current);
  EXPECT(stats.memory.anonymous.has_value());  // The kernel sums it up only every two seconds.
  EXPECT(stats.memory.limit == uint64_t{64 << 20} && stats.memory.swap_limit == uint64_t{32 << 20});
  EXPECT(stats.memory.swap_current == 0U && stats.memory.oom_kills == 0U && !stats.memory.detail.empty());
  EXPECT(stats.cpu.user_ns && stats.cpu.system_ns && stats.cpu.throttled_ns > 0U && stats.cpu.periods > 0U);
  EXPECT(stats.pids.current == 1U && stats.pids.limit == kUnlimited);
}

TEST("cgroup stats: what belongs to another hierarchy is absent") {
  if (!on_v1({Controller::kPids})) return;
  TestParent parent({Controller::kPids, Controller::kUnified});
  if (!parent) return;
  auto pids = must(create_group(parent->groups, "pids", {Controller::kPids}));
  const Stats none = must(read_stats(pids));
  EXPECT(!none.memory.current && !none.cpu.usage_ns && none.io.empty());
  EXPECT(!must(oom_kill_count(pids)));
  auto unified = must(create_group(parent->groups, "unified", {Controller::kUnified}));
  EXPECT(must(read_stats(unified)).cpu.usage_ns.has_value());
}
