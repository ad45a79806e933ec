#include "core/container/plan.h"

#include <fcntl.h>

#include "core/container/process_table.h"
#include "core/sys/syscalls.h"
#include "support/workspace.h"

using namespace nsbox;
using namespace nsbox::test;

namespace {

std::string plan_says(std::string_view text) {
  Arena arena;
  return told(parse_plan(text, {}, {}, arena));
}

Vector<UniqueFd> descriptors(int count) {
  Vector<UniqueFd> fds;
  for (int i = 0; i < count; i++) fds.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
  return fds;
}

}  // namespace

TEST("plan: reads what stands around the configuration") {
  Arena arena;
  MUST(plan, parse_plan(R"({"config":{"hostname":"h"},"root":"split","idMaps":"wait","hold":true,"start":true,
    "scratchSize":4096,"clampCapabilities":true,"snapshots":[{"target":"/","lowers":["/a","/b"]}],
    "cgroup":{"name":"g","join":1,"parents":[{"controllers":2,"version":1},{"controllers":1,"version":2}]}})",
                        {}, descriptors(5), arena));
  EXPECT(plan.root == RootKind::kSplit && plan.id_maps == IdMaps::kWait && plan.hold && plan.start);
  EXPECT(plan.scratch_size == 4096 && plan.clamp_capabilities && plan.config.hostname == "h");
  EXPECT(plan.snapshots.size() == 1 && plan.snapshots[0].lowers.size() == 2);
  EXPECT(plan.cgroup_name == "g" && plan.cgroup_parents.hierarchies.size() == 2);
  EXPECT(plan.cgroup_parents.hierarchies[1].version == cgroup::Version::kV2);
  EXPECT_EQ(plan.stdio.size(), size_t{3});
}

TEST("plan: wrong input names its place") {
  const std::pair<const char*, const char*> cases[] = {
      {"[]", "plan: expected an object, got an array"},
      {"{}", "plan.config: missing"},
      {R"({"config":1})", ": expected an object, got a number"},
      {R"({"config":{},"root":"tree"})", "plan.root: expected bind, overlay or split"},
      {R"({"config":{},"idMaps":"all"})", "plan.idMaps: expected none, self or wait"},
      {R"({"config":{},"hold":1})", "plan.hold: expected a boolean, got a number"},
      {R"({"config":{},"scratchSize":-1})", "plan.scratchSize: expected a whole number from 0"},
      {R"({"config":{},"cgroup":{"parents":[{}]}})", "plan.cgroup.parents[0]: its descriptor is missing"},
      {R"({"config":{},"snapshots":[{"lowers":[1]}]})",
       "plan.snapshots[0].lowers[0]: expected a string, got a number"},
  };
  for (const auto& [text, message] : cases) EXPECT_EQ(plan_says(text), message);
  EXPECT_EQ(plan_says("{").find("JSON: "), size_t{0});
}

TEST("plan: descriptors of a plan that is refused are closed") {
  const size_t before = open_descriptors();
  Arena arena;
  EXPECT(!parse_plan(R"({"config":{},"cgroup":{"parents":[{},{},{}]}})", {}, descriptors(2), arena));
  EXPECT_EQ(open_descriptors(), before);
}

TEST("process table: knows processes by name and by pid, until it is full") {
  static ProcessTable table;
  EXPECT(table.empty() && table.pid_of(1) == -1 && !table.remove(7));
  uint32_t count = 0;
  while (!table.full()) {
    table.add(count, static_cast<pid_t>(1000 + count));
    count++;
  }
  EXPECT_EQ(table.pid_of(5), 1005);
  EXPECT_EQ(table.remove(1005).value_or(0), 5U);
  EXPECT(!table.full() && table.pid_of(5) == -1 && !table.remove(1005));
  for (uint32_t i = 0; i < count; i++) (void)table.remove(static_cast<pid_t>(1000 + i));
  EXPECT(table.empty());
}
