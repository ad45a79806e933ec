// The driver against a real systemd. It runs in the virtual machine (docs/testing-vm.md), as root against the
// system's manager and as an ordinary user against their own.
#include "core/cgroup/systemd.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "core/cgroup/limits.h"
#include "systemd_support.h"

using namespace nsbox;
using namespace nsbox::cgroup;
using namespace nsbox::test;

namespace {

struct Request {
  std::string path;
  const Limits* limits = nullptr;
  std::vector<NamedValue> annotations = {};
};

Result<SystemdGroup> start(const Sleeper& sleeper, const Request& request) {
  SystemdRequest whole;
  whole.cgroups_path = request.path;
  whole.container_id = "c1";
  whole.pid = sleeper.pid();
  whole.limits = request.limits;
  whole.annotations = request.annotations;
  whole.manager = own_manager();
  whole.environment = own_environment();
  return start_systemd_unit(whole);
}

SystemdUnit unit_named(const std::string& unit) { return {unit, own_manager(), own_environment()}; }

std::string slice() { return own_manager() == Manager::kUser ? "user.slice" : "system.slice"; }

bool exists(const std::string& group) { return access(("/sys/fs/cgroup" + group).c_str(), F_OK) == 0; }

// The container's end, as `delete` does it.
void end(const SystemdGroup& group, Sleeper& sleeper) {
  EXPECT_EQ(outcome(kill_all(group.parent.groups)), "ok");
  sleeper.end();
  const std::string unit(group.unit.view());
  EXPECT_EQ(outcome(stop_systemd_unit(unit_named(unit))), "ok");
  EXPECT_EQ(outcome(cgroup::remove(group.parent.bases, group.parent.name.c_str())), "ok");
  EXPECT(!is_active(unit));
}

std::string file(const SystemdGroup& group, Controller controller, const char* name) {
  return read_in(group.parent.groups, controller, name);
}

}  // namespace

TEST("systemd: a scope has the process, in its slice, until it is stopped") {
  if (!has_systemd()) return;
  const std::string name = fresh_name(), unit = "pre-" + name + ".scope";
  const UnitGuard guard(unit);
  Sleeper sleeper;
  auto group = must(start(sleeper, {":pre:" + name}));
  EXPECT_EQ(group.unit.view(), unit);
  EXPECT(group.path.view().ends_with("/" + slice() + "/" + unit));
  EXPECT_EQ(sleeper.group(), text(group.path));
  EXPECT_EQ(must(procs(group.parent.groups)).size(), 1U);
  EXPECT_EQ(property_of(unit, "ActiveState"), "active");
  EXPECT_EQ(property_of(unit, "Slice"), slice());
  EXPECT_EQ(property_of(unit, "Delegate"), "yes");
  EXPECT_EQ(property_of(unit, "DefaultDependencies"), "no");
  EXPECT_EQ(property_of(unit, "Description"), "nsbox container c1");
  EXPECT_EQ(property_of(unit, "MemoryAccounting"), "yes");
  EXPECT_EQ(outcome(freeze(group.parent.groups)), "ok");
  EXPECT(must(is_frozen(group.parent.groups)));
  EXPECT_EQ(outcome(thaw(group.parent.groups)), "ok");
  auto again = must(open_at_path(must(read_layout()), group.path));
  EXPECT_EQ(must(procs(again.groups)).size(), 1U);
  const std::string path(group.path.view());
  end(group, sleeper);
  EXPECT(!exists(path));
  EXPECT_EQ(outcome(stop_systemd_unit(unit_named(unit))), "ok");
}

TEST("systemd: limits are the unit's properties, and what the files say") {
  if (!has_systemd()) return;
  const std::string name = fresh_name(), unit = name + ".scope";
  const UnitGuard guard(unit);
  Sleeper sleeper;
  const Limits limits = {
      .memory = {.limit = 64 << 20, .reservation = 32 << 20, .swap = 96 << 20},
      .cpu = {.shares = 1024, .quota = 50'000, .period = 200'000, .cpus = "0-1", .mems = "0"},
      .pids = 17,
      .block_io = {.weight = 500},
      .unified = {{"memory.high", "50331648"}},
  };
  auto group = must(start(sleeper, {"::" + name, &limits}));
  EXPECT_EQ(property_of(unit, "MemoryMax"), "67108864");
  EXPECT_EQ(property_of(unit, "MemoryLow"), "33554432");
  EXPECT_EQ(property_of(unit, "MemorySwapMax"), "33554432");
  EXPECT_EQ(property_of(unit, "MemoryHigh"), "50331648");
  EXPECT_EQ(property_of(unit, "CPUWeight"), "39");
  EXPECT_EQ(property_of(unit, "CPUQuotaPerSecUSec"), "250ms");
  EXPECT_EQ(property_of(unit, "CPUQuotaPeriodUSec"), "200ms");
  EXPECT_EQ(property_of(unit, "AllowedCPUs"), "0-1");
  EXPECT_EQ(property_of(unit, "AllowedMemoryNodes"), "0");
  EXPECT_EQ(property_of(unit, "TasksMax"), "17");
  EXPECT_EQ(property_of(unit, "IOWeight"), "4950");
  // systemd has written them, and we write the same: both orders end alike.
  for (int round = 0; round < 2; round++) {
    EXPECT_EQ(file(group, Controller::kMemory, "memory.max"), "67108864");
    EXPECT_EQ(file(group, Controller::kMemory, "memory.low"), "33554432");
    EXPECT_EQ(file(group, Controller::kMemory, "memory.high"), "50331648");
    EXPECT_EQ(file(group, Controller::kMemory, "memory.swap.max"), "33554432");
    EXPECT_EQ(file(group, Controller::kCpu, "cpu.weight"), "39");
    EXPECT_EQ(file(group, Controller::kCpu, "cpu.max"), "50000 200000");
    EXPECT_EQ(file(group, Controller::kCpuset, "cpuset.cpus"), "0-1");
    EXPECT_EQ(file(group, Controller::kPids, "pids.max"), "17");
    EXPECT_EQ(outcome(apply_limits(group.parent.groups, limits)), "ok");
  }
  end(group, sleeper);
}

TEST("systemd: an update changes properties and files, and a reload leaves both") {
  if (!has_systemd()) return;
  const std::string name = fresh_name(), unit = name + ".scope";
  const UnitGuard guard(unit);
  Sleeper sleeper;
  const Limits before = {.memory = {.limit = 64 << 20}, .pids = 10};
  auto group = must(start(sleeper, {"::" + name, &before}));
  EXPECT_EQ(outcome(apply_limits(group.parent.groups, before)), "ok");
  const Limits after = {.memory = {.limit = 32 << 20}, .cpu = {.quota = -1}, .pids = -1};
  EXPECT_EQ(outcome(update_systemd_unit(unit_named(unit), after)), "ok");
  EXPECT_EQ(outcome(apply_limits(group.parent.groups, after)), "ok");
  EXPECT_EQ(property_of(unit, "MemoryMax"), "33554432");
  EXPECT_EQ(property_of(unit, "TasksMax"), "infinity");
  EXPECT_EQ(property_of(unit, "CPUQuotaPerSecUSec"), "infinity");
  (void)output_of(own_manager() == Manager::kUser ? "systemctl --user daemon-reload"
                                                  : "systemctl daemon-reload");
  EXPECT_EQ(file(group, Controller::kMemory, "memory.max"), "33554432");
  EXPECT_EQ(file(group, Controller::kPids, "pids.max"), "max");
  EXPECT_EQ(sleeper.group(), text(group.path));
  EXPECT_EQ(outcome(update_systemd_unit(unit_named(unit), {})), "ok");
  EXPECT(outcome(update_systemd_unit(unit_named("nsboxtest-none.scope"), before)).find("NoSuchUnit") !=
         std::string::npos);
  end(group, sleeper);
}

TEST("systemd: a second unit of that name is refused, and the first goes on") {
  if (!has_systemd()) return;
  const std::string name = fresh_name(), unit = name + ".scope";
  const UnitGuard guard(unit);
  Sleeper sleeper, other;
  const std::string before = other.group();
  auto group = must(start(sleeper, {"::" + name}));
  auto second = start(other, {"::" + name});
  EXPECT_EQ(second.err(), EEXIST);
  EXPECT_EQ(other.group(), before);
  EXPECT_EQ(sleeper.group(), text(group.path));
  end(group, sleeper);
}

TEST("systemd: a failed unit of that name is cleared away") {
  if (!has_systemd()) return;
  const std::string name = fresh_name(), unit = name + ".scope";
  const UnitGuard guard(unit);
  {
    Sleeper sleeper;
    (void)must(
        start(sleeper, {"::" + name, nullptr, {{"org.systemd.property.RuntimeMaxUSec", "uint64 100000"}}}));
    for (int i = 0; i < 500 && property_of(unit, "ActiveState") != "failed"; i++) usleep(20'000);
    EXPECT_EQ(property_of(unit, "ActiveState"), "failed");
  }
  Sleeper sleeper;
  auto group = must(start(sleeper, {"::" + name}));
  EXPECT_EQ(property_of(unit, "ActiveState"), "active");
  end(group, sleeper);
}

TEST("systemd: annotations are properties") {
  if (!has_systemd()) return;
  const std::string name = fresh_name(), unit = name + ".scope";
  const UnitGuard guard(unit);
  Sleeper sleeper;
  auto group = must(start(sleeper, {"::" + name,
                                    nullptr,
                                    {{"org.systemd.property.TimeoutStopSec", "3"},
                                     {"org.systemd.property.CollectMode", "'inactive-or-failed'"},
                                     {"org.systemd.property.KillSignal", "37"},
                                     {"org.systemd.property.Documentation", "['man:a(1)', \"man:b(2)\"]"},
                                     {"org.systemd.property.Description", "'my \"own\"'"},
                                     {"something.else", "]"}}}));
  EXPECT_EQ(property_of(unit, "TimeoutStopUSec"), "3s");
  EXPECT_EQ(property_of(unit, "CollectMode"), "inactive-or-failed");
  EXPECT_EQ(property_of(unit, "KillSignal"), "37");
  EXPECT_EQ(property_of(unit, "Documentation"), "\"man:a(1)\" \"man:b(2)\"");
  EXPECT_EQ(property_of(unit, "Description"), "my \"own\"");
  end(group, sleeper);
}

TEST("systemd: what it refuses is told in its words, and leaves nothing") {
  if (!has_systemd()) return;
  const std::string name = fresh_name(), unit = name + ".scope";
  const UnitGuard guard(unit);
  Sleeper sleeper;
  const std::string before = sleeper.group();
  auto unknown = start(sleeper, {"::" + name, nullptr, {{"org.systemd.property.NoSuchThing", "1"}}});
  EXPECT(!unknown);
  EXPECT(text(unknown.error().message()).find("NoSuchThing") != std::string::npos);
  auto wrong_type = start(sleeper, {"::" + name, nullptr, {{"org.systemd.property.TasksMax", "'many'"}}});
  EXPECT(!wrong_type);
  EXPECT_EQ(sleeper.group(), before);
  EXPECT(!is_active(unit));
  const pid_t pid = sleeper.pid();
  sleeper.end();
  SystemdRequest gone;
  gone.cgroups_path = "::gone";
  gone.container_id = "c1";
  gone.pid = pid;
  gone.manager = own_manager();
  gone.environment = own_environment();
  EXPECT(!start_systemd_unit(gone));
  EXPECT(!is_active("gone.scope"));
}

TEST("systemd: a scope in a slice within slices") {
  if (!has_systemd()) return;
  const std::string name = fresh_name(), unit = name + ".scope";
  const UnitGuard guard(unit), slices("nsboxtest.slice");
  Sleeper sleeper;
  auto group = must(start(sleeper, {"nsboxtest-a.slice::" + name}));
  EXPECT(text(group.path).ends_with("/nsboxtest.slice/nsboxtest-a.slice/" + unit));
  EXPECT_EQ(property_of(unit, "Slice"), "nsboxtest-a.slice");
  end(group, sleeper);
}

TEST("systemd: a slice instead of a scope") {
  if (!has_systemd()) return;
  const UnitGuard guard("nsboxtestb.slice"), inner("nsboxtestb-c.slice");
  Sleeper sleeper;
  const Limits limits = {.pids = 23};
  auto group = must(start(sleeper, {"::nsboxtestb-c.slice", &limits}));
  EXPECT(text(group.path).ends_with("/nsboxtestb.slice/nsboxtestb-c.slice"));
  EXPECT_EQ(sleeper.group(), text(group.path));
  EXPECT_EQ(file(group, Controller::kPids, "pids.max"), "23");
  end(group, sleeper);
}

TEST("systemd: a subgroup, and one below it that is the container's own") {
  if (!has_systemd()) return;
  const std::string name = fresh_name(), unit = name + ".scope";
  const UnitGuard guard(unit);
  Sleeper sleeper;
  const Limits limits = {.memory = {.limit = 64 << 20}, .pids = 17};
  auto group =
      must(start(sleeper, {"::" + name,
                           &limits,
                           {{"run.oci.systemd.subgroup", "container"}, {"run.oci.delegate-cgroup", "own"}}}));
  EXPECT(text(group.path).ends_with("/" + unit + "/container"));
  EXPECT_EQ(sleeper.group(), text(group.path));
  EXPECT_EQ(property_of(unit, "TasksMax"), "17");
  EXPECT_EQ(file(group, Controller::kPids, "pids.max"), "max");
  EXPECT_EQ(outcome(apply_limits(group.parent.groups, limits)), "ok");
  EXPECT_EQ(file(group, Controller::kPids, "pids.max"), "17");
  EXPECT_EQ(outcome(enter_delegated(group, sleeper.pid())), "ok");
  EXPECT_EQ(sleeper.group(), text(group.path) + "/own");
  EXPECT(exists(sleeper.group() + "/memory.max"));
  end(group, sleeper);
}

TEST("systemd: device rules of ours outlive its reload") {
  if (!has_systemd() || own_manager() == Manager::kUser) return;
  const std::string name = fresh_name(), unit = name + ".scope";
  const UnitGuard guard(unit);
  Sleeper sleeper;
  auto group = must(start(sleeper, {"::" + name}));
  const auto rules = default_device_rules();
  EXPECT_EQ(outcome(apply_device_rules(*group.parent.groups.find(Controller::kDevices), rules)), "ok");
  (void)output_of("systemctl daemon-reload");
  EXPECT_EQ(outcome(update_systemd_unit(unit_named(unit), {.pids = 50})), "ok");
  Child child(group.parent.groups, [] {
    const int allowed = open("/dev/null", O_RDWR | O_CLOEXEC);
    const int denied = open("/dev/kmsg", O_RDONLY | O_CLOEXEC);
    return allowed >= 0 && denied < 0 && errno == EPERM ? 0 : 1;
  });
  EXPECT_EQ(child.wait(), 0);
  end(group, sleeper);
}

TEST("systemd: whom it is not, it does not reach") {
  const BusEnvironment nowhere = {"unix:path=/nonexistent/bus", "/nonexistent"};
  auto client = SystemdClient::open(Manager::kUser, nowhere);
  if (client) return;  // /run/user/UID/bus, the last resort.
  EXPECT(text(client.error().message())
             .starts_with(
                 "systemd's manager of this user cannot be reached: connect to /nonexistent/bus: ENOENT"));
}
