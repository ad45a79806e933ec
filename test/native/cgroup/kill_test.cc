#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/cgroup/files.h"
#include "support.h"
#include "test.h"

using namespace nsbox;
using namespace nsbox::cgroup;
using namespace nsbox::test;

namespace {

// The views that a group can have, each made of what is mounted here.
struct Mode {
  const char* name;
  Controllers wanted;
};
constexpr Mode kModes[] = {
    {"v1 with a pids limit", {Controller::kMemory, Controller::kPids}},
    {"v1 with a freezer", {Controller::kMemory, Controller::kFreezer}},
    {"v1 with neither", {Controller::kMemory}},
    {"hybrid", {Controller::kUnified, Controller::kMemory, Controller::kPids}},
    {"v2", {Controller::kUnified}},
};

}  // namespace

TEST("cgroup kill: an orderly end leaves nothing to kill") {
  if (!is_root()) return;
  for (const Mode& mode : kModes) {
    TestParent parent(mode.wanted);
    if (!parent) continue;
    auto box = must(create_group(parent->groups, "box", mode.wanted));
    Child(box, [] { return 0; }).wait();
    EXPECT_EQ(outcome(remove(parent->groups, "box")), "ok");
    EXPECT(must(open_group(parent->groups, "box")).hierarchies.empty());
  }
}

TEST("cgroup kill: a fork bomb is ended and its group removed") {
  if (!is_root()) return;
  for (const Mode& mode : kModes) {
    TestParent parent(mode.wanted);
    if (!parent) continue;
    auto box = must(create_group(parent->groups, "box", mode.wanted));
    // What keeps the bomb from filling the machine while the test looks.
    if (mode.wanted.has(Controller::kPids)) EXPECT_EQ(outcome(apply_limits(box, {.pids = 200})), "ok");
    Child bomb(box, [] {
      signal(SIGCHLD, SIG_IGN);
      for (int i = 0; i < 100; i++)
        if (fork() == 0) {
          // Children that come and go, so that the list is never right for long.
          for (;;)
            if (fork() == 0) _exit(0);
        }
      return sleep_for_ever();
    });
    EXPECT_EQ(outcome(kill_all(box)), "ok");
    EXPECT_EQ(outcome(remove(parent->groups, "box")), "ok");
    EXPECT(WIFSIGNALED(bomb.wait()));
    EXPECT(must(open_group(parent->groups, "box")).hierarchies.empty());
  }
}

TEST("cgroup kill: the pids limit that stopped the forks is put back") {
  if (!is_root()) return;
  TestParent parent({Controller::kPids});
  if (!parent) return;
  auto box = must(create_group(parent->groups, "box", {Controller::kPids}));
  EXPECT_EQ(outcome(apply_limits(box, {.pids = 5})), "ok");
  EXPECT_EQ(outcome(kill_all(box)), "ok");
  EXPECT_EQ(read_in(box, Controller::kPids, "pids.max"), "5");
}

TEST("cgroup kill: a frozen group dies too") {
  if (!is_root()) return;
  for (const Controller freezer : {Controller::kFreezer, Controller::kUnified}) {
    TestParent parent({freezer});
    if (!parent) continue;
    auto box = must(create_group(parent->groups, "box", {freezer}));
    Child child(box, sleep_for_ever);
    EXPECT_EQ(outcome(freeze(box)), "ok");
    EXPECT_EQ(outcome(kill_all(box)), "ok");
    EXPECT(WIFSIGNALED(child.wait()));

    Child other(box, sleep_for_ever);
    EXPECT_EQ(outcome(freeze(box)), "ok");
    EXPECT_EQ(outcome(remove(parent->groups, "box")), "ok");
    EXPECT(WIFSIGNALED(other.wait()));
  }
}

TEST("cgroup kill: groups below go with the box, however deep") {
  if (!is_root()) return;
  for (const Controller kind : {Controller::kPids, Controller::kUnified}) {
    TestParent parent({kind});
    if (!parent) continue;
    GroupSet at = must(create_group(parent->groups, "box", {kind}));
    for (int depth = 0; depth < 80; depth++) at = must(create_group(at, "nested", {kind}));
    Child child(at, sleep_for_ever);
    EXPECT_EQ(outcome(remove(parent->groups, "box")), "ok");
    EXPECT(WIFSIGNALED(child.wait()));
  }
}

TEST("cgroup kill: a v1 group below that froze itself does not keep the box") {
  if (!on_v1({Controller::kFreezer})) return;
  TestParent parent({Controller::kFreezer});
  if (!parent) return;
  auto box = must(create_group(parent->groups, "box", {Controller::kFreezer}));
  auto nested = must(create_group(box, "nested", {Controller::kFreezer}));
  Child child(nested, sleep_for_ever);
  EXPECT_EQ(outcome(freeze(nested)), "ok");
  EXPECT_EQ(outcome(remove(parent->groups, "box")), "ok");
  EXPECT(WIFSIGNALED(child.wait()));
}

TEST("cgroup kill: what cannot die is told in time, not waited for without end") {
  if (!on_v1({Controller::kFreezer})) return;
  TestParent parent({Controller::kFreezer});
  if (!parent) return;
  auto outer = must(create_group(parent->groups, "outer", {Controller::kFreezer}));
  auto box = must(create_group(outer, "box", {Controller::kFreezer}));
  Child child(box, sleep_for_ever);
  EXPECT_EQ(outcome(freeze(outer)), "ok");  // Not ours to thaw from inside.
  const Status late = remove(outer, "box", 50'000'000);
  EXPECT_EQ(late.err(), ETIMEDOUT);
  EXPECT_EQ(outcome(thaw(outer)), "ok");
  EXPECT_EQ(outcome(remove(outer, "box")), "ok");
}

TEST("cgroup kill: a signal for all reaches all") {
  if (!is_root()) return;
  TestParent parent({Controller::kPids});
  if (!parent) return;
  auto box = must(create_group(parent->groups, "box", {Controller::kPids}));
  Child first(box, sleep_for_ever), second(box, sleep_for_ever);
  EXPECT_EQ(outcome(signal_all(box, SIGUSR1)), "ok");
  for (Child* each : {&first, &second}) {
    const int status = each->wait();
    EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
  }
}

TEST("cgroup kill: removing the parent removes the boxes") {
  if (!is_root()) return;
  constexpr Controllers kBoth = {Controller::kPids, Controller::kUnified};
  TestParent parent(kBoth);
  if (!parent) return;
  auto one = must(create_group(parent->groups, "one", kBoth));
  auto two = must(create_group(parent->groups, "two", {Controller::kPids}));
  Child child(one, sleep_for_ever), other(two, sleep_for_ever);
  EXPECT_EQ(must(children(parent->groups)).size(), 2U);
  EXPECT_EQ(outcome(remove(parent->bases, parent->name.c_str())), "ok");
  EXPECT(must(open_group(parent->bases, parent->name.c_str())).hierarchies.empty());
}
