#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "core/cgroup/stats.h"
#include "core/sys/file.h"
#include "support.h"
#include "test.h"

using namespace nsbox;
using namespace nsbox::cgroup;
using namespace nsbox::test;

namespace {

constexpr Controllers kUsual = {Controller::kMemory, Controller::kPids};

// Touches more memory than any limit here allows.
int hog() {
  constexpr size_t kSize = 256 * kMiB;
  void* memory = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(memory, 1, kSize);
  return 0;
}

std::string own_groups() {
  auto text_now = read_file_at(AT_FDCWD, "/proc/self/cgroup");
  return text_now ? text(*text_now) : "";
}

}  // namespace

TEST("cgroup: limits are there, and a process is in its group before they count") {
  if (!on_v1({Controller::kMemory, Controller::kPids})) return;
  TestParent parent(kUsual);
  if (!parent) return;
  Limits limits = {.memory = {.limit = 64 * kMiB}, .pids = 17};
  EXPECT(needed_controllers(limits) == kUsual);
  auto box = create_group(parent->groups, "box", needed_controllers(limits));
  if (!box) return fail(__FILE__, __LINE__, text(box.error().message()));
  EXPECT_EQ(outcome(apply_limits(*box, limits)), "ok");
  EXPECT_EQ(read_in(*box, Controller::kMemory, "memory.limit_in_bytes"), "67108864");
  EXPECT_EQ(read_in(*box, Controller::kPids, "pids.max"), "17");

  const std::string seen = in_child([&] {
    const Status done = attach_self(*box);
    return done ? own_groups() : outcome(done);
  });
  EXPECT(seen.find(text(parent->name) + "/box\n") != std::string::npos);
  EXPECT_EQ(outcome(remove(parent->groups, "box")), "ok");
  EXPECT_EQ(outcome(remove(parent->groups, "box")), "ok");
}

TEST("cgroup: only the hierarchies that are wanted are joined") {
  if (!on_v1({Controller::kMemory, Controller::kPids})) return;
  TestParent parent({Controller::kMemory, Controller::kPids, Controller::kCpu});
  if (!parent) return;
  auto box = create_group(parent->groups, "box", {Controller::kPids});
  EXPECT(box && box->controllers().has(Controller::kPids));
  EXPECT(box && !box->controllers().has(Controller::kMemory));
  EXPECT(open_group(parent->groups, "box")->hierarchies.size() == 1U);
}

TEST("cgroup: a name that is taken is refused and its group left alone") {
  if (!on_v1({Controller::kMemory, Controller::kPids})) return;
  TestParent parent(kUsual);
  if (!parent) return;
  auto first = create_group(parent->groups, "box", {Controller::kPids});
  auto second = create_group(parent->groups, "box", kUsual);
  EXPECT_EQ(second.err(), EEXIST);
  EXPECT_EQ(open_group(parent->groups, "box")->hierarchies.size(), 1U);  // Nothing half made.
  EXPECT(static_cast<bool>(create_group(parent->groups, "box", kUsual, IfExists::kUse)));
  for (const char* bad : {"", ".", "..", "a/b"})
    EXPECT_EQ(create_group(parent->groups, bad, kUsual).err(), EINVAL);
}

TEST("cgroup: the pids limit stops forks") {
  if (!is_root()) return;
  TestParent parent({Controller::kPids});
  if (!parent) return;
  auto box = create_group(parent->groups, "box", {Controller::kPids});
  EXPECT_EQ(outcome(apply_limits(*box, {.pids = 3})), "ok");
  Child child(*box, [] {
    int made = 0;
    for (int i = 0; i < 10; i++) {
      const pid_t pid = fork();
      if (pid == 0) sleep_for_ever();
      if (pid > 0) made++;
    }
    return made;
  });
  const int status = child.wait();
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 2);
  EXPECT(must(read_stats(*box)).pids.limit == 3U);
  EXPECT_EQ(outcome(remove(parent->groups, "box")), "ok");  // Kills the two that are left.
}

TEST("cgroup: the memory limit ends a hog, and the count says so") {
  if (!is_root()) return;
  TestParent parent({Controller::kMemory});
  if (!parent) return;
  auto box = create_group(parent->groups, "box", {Controller::kMemory});
  EXPECT_EQ(outcome(apply_limits(*box, {.memory = {.limit = 32 * kMiB, .swap = 32 * kMiB}})), "ok");
  EXPECT(must(oom_kill_count(*box)) == 0U);
  Child child(*box, hog);
  const int status = child.wait();
  EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  EXPECT(must(oom_kill_count(*box)) == 1U);
}

TEST("cgroup: further hierarchies can be joined by a running box") {
  if (!on_v1({Controller::kPids, Controller::kFreezer, Controller::kCpuset})) return;
  TestParent parent({Controller::kPids, Controller::kFreezer, Controller::kCpuset});
  if (!parent) return;
  auto box = create_group(parent->groups, "box", {Controller::kPids});
  Child child(*box, [] {
    for (int i = 0; i < 5; i++)
      if (fork() == 0) return sleep_for_ever();
    return sleep_for_ever();
  });
  EXPECT_EQ(outcome(join(*box, parent->groups, "box", {Controller::kFreezer, Controller::kCpuset})), "ok");
  EXPECT(box->controllers().has_all({Controller::kFreezer, Controller::kCpuset}));
  EXPECT(!read_in(*box, Controller::kCpuset, "cpuset.cpus").empty());
  EXPECT(read_in(*box, Controller::kFreezer, "cgroup.procs").find(std::to_string(child.pid())) !=
         std::string::npos);
  EXPECT_EQ(join(*box, parent->groups, "box", {Controller::kRdma}).err(), kNoController);
  EXPECT_EQ(outcome(remove(parent->groups, "box")), "ok");
}

TEST("cgroup: another process can be brought in, with all its threads") {
  if (!is_root()) return;
  TestParent parent(kUsual);
  if (!parent) return;
  auto box = create_group(parent->groups, "box", kUsual);
  Child child(GroupSet(), sleep_for_ever);
  EXPECT_EQ(outcome(attach(*box, child.pid())), "ok");
  auto inside = procs(*box);
  EXPECT(inside && inside->size() == 1 && inside->front() == child.pid());
  EXPECT(must(populated(*box)));
  EXPECT_EQ(attach(*box, 0x3FFFFFF).err(), ESRCH);
}
