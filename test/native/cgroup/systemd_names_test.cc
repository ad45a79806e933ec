#include "core/cgroup/systemd_client.h"
#include "core/cgroup/systemd_properties.h"
#include "core/cgroup/unit_name.h"
#include "dbus_bytes.h"
#include "test.h"

using namespace nsbox;
using namespace nsbox::cgroup;
using namespace nsbox::test;

namespace {

std::string unit_of(std::string_view path, Manager manager = Manager::kSystem) {
  auto name = parse_unit_name(path, "c1", manager);
  if (!name) return std::string(name.error().message().view());
  return std::string(name->slice.view()) + " " + std::string(name->unit.view());
}

std::string expanded(std::string_view slice) {
  auto path = expand_slice(slice);
  return path ? std::string(path->view()) : "refused";
}

std::string bits(std::string_view list) {
  auto found = bits_of_list(list);
  return found ? shown_bytes(*found) : "refused";
}

// "Name=number ..." of a property list whose values are numbers, and its byte arrays in hexadecimal.
std::string told(const Limits& limits, PropertyDialect dialect = {Version::kV2, 252}) {
  dbus::Properties all;
  const Status done = add_limits(all, limits, dialect);
  if (!done) return std::string(done.error().message().view());
  dbus::Writer body;
  all.write_to(body);
  dbus::Writer whole;
  whole.byte('l').byte(2).byte(0).byte(1).uint32(static_cast<uint32_t>(body.view().size())).uint32(7);
  const auto fields = whole.begin_array(8);
  whole.begin_struct().byte(5).variant("u").uint32(3);
  whole.begin_struct().byte(8).variant("g").signature("a(sv)");
  whole.end_array(fields);
  whole.raw(body.view());
  auto message = dbus::parse_message(whole.view());
  if (!message) return "not a message";
  std::string text;
  auto list = dbus::Reader(*message).array();
  while (list && list->next()) {
    auto entry = list->structure();
    text += (text.empty() ? "" : " ") + std::string(entry->string().value_or("?")) + "=";
    auto value = entry->variant();
    if (const auto number = value->uint64()) {
      text += *number == UINT64_MAX ? "max" : std::to_string(*number);
    } else if (auto array = value->array()) {
      while (array->next()) text += shown_bytes(std::string(1, static_cast<char>(*array->byte())));
    }
  }
  return text;
}

}  // namespace

TEST("systemd unit: a scope in a slice") {
  EXPECT_EQ(unit_of("machine.slice:libpod:abc"), "machine.slice libpod-abc.scope");
  EXPECT_EQ(unit_of("a-b.slice::abc"), "a-b.slice abc.scope");
  EXPECT_EQ(unit_of(":docker:abc"), "system.slice docker-abc.scope");
  EXPECT_EQ(unit_of(":docker:abc", Manager::kUser), "user.slice docker-abc.scope");
  EXPECT_EQ(unit_of("-:docker:abc"), "-.slice docker-abc.scope");
  EXPECT_EQ(unit_of(""), "system.slice nsbox-c1.scope");
}

TEST("systemd unit: a slice of its own") {
  EXPECT_EQ(unit_of("system.slice:ignored:a-b.slice"), "a.slice a-b.slice");
  EXPECT_EQ(unit_of("::kubepods.slice"), "-.slice kubepods.slice");
}

TEST("systemd unit: what systemd would not take as a name is refused") {
  for (const char* path : {"/a/b", "a", "a.slice:b", "a.slice:b:c:d", "a.slice:b:"})
    EXPECT_EQ(unit_of(path), "linux.cgroupsPath has the form slice:prefix:name with systemd, which \"" +
                                 std::string(path) + "\" has not");
  for (const char* path : {"::a\nb", "::a/b", "::a b", ":p/q:a", ":.p:a", "::\xc3\xbc"})
    EXPECT(unit_of(path).starts_with("not a name for a systemd unit"));
  for (const char* path : {"a/b.slice::c", "a--b.slice::c", "-a.slice::c", "a-.slice::c", "a::c",
                           "..slice::c", ".slice::c", "::-a.slice"})
    EXPECT(!parse_unit_name(path, "c1", Manager::kSystem));
  EXPECT(!parse_unit_name("::" + std::string(300, 'a'), "c1", Manager::kSystem));
}

TEST("systemd unit: a slice's name is its path") {
  EXPECT_EQ(expanded("a-b-c.slice"), "/a.slice/a-b.slice/a-b-c.slice");
  EXPECT_EQ(expanded("system.slice"), "/system.slice");
  EXPECT_EQ(expanded("-.slice"), "/");
  EXPECT_EQ(expanded("a.scope"), "refused");
}

TEST("systemd unit: its place among systemd's objects") {
  EXPECT_EQ(unit_object_path("a-b.scope").view(), "/org/freedesktop/systemd1/unit/a_2db_2escope");
  EXPECT_EQ(unit_object_path("1a.slice").view(), "/org/freedesktop/systemd1/unit/_31a_2eslice");
}

TEST("systemd limits: as properties of a unit with cgroup v2") {
  EXPECT_EQ(told({.memory = {.limit = 64 << 20, .reservation = 1 << 20, .swap = 96 << 20}}),
            "MemoryMax=67108864 MemoryLow=1048576 MemorySwapMax=33554432");
  EXPECT_EQ(told({.memory = {.limit = -1}}), "MemoryMax=max MemorySwapMax=max");
  EXPECT_EQ(told({.cpu = {.shares = 1024}}), "CPUWeight=39");
  EXPECT_EQ(told({.cpu = {.quota = 50'000, .period = 200'000}}),
            "CPUQuotaPeriodUSec=200000 CPUQuotaPerSecUSec=250000");
  EXPECT_EQ(told({.cpu = {.quota = 12'345}}), "CPUQuotaPerSecUSec=130000");
  EXPECT_EQ(told({.cpu = {.quota = -1}}), "CPUQuotaPerSecUSec=max");
  EXPECT_EQ(told({.cpu = {.idle = 1}}), "CPUWeight=0");
  EXPECT_EQ(told({.cpu = {.cpus = "0-2,9", .mems = "0"}}), "AllowedCPUs=0702 AllowedMemoryNodes=01");
  EXPECT_EQ(told({.pids = 10, .block_io = {.weight = 500}}), "TasksMax=10 IOWeight=4950");
  EXPECT_EQ(told({.pids = -1}), "TasksMax=max");
  EXPECT_EQ(told({}), "");
}

TEST("systemd limits: with cgroup v1, and with an older systemd") {
  EXPECT_EQ(
      told({.memory = {.limit = 4096, .reservation = 1}, .cpu = {.shares = 1}, .block_io = {.weight = 10}},
           {Version::kV1, 252}),
      "MemoryLimit=4096 CPUShares=2 BlockIOWeight=10");
  EXPECT_EQ(told({.cpu = {.quota = 50'000, .period = 200'000, .idle = 1, .cpus = "0"}}, {Version::kV2, 240}),
            "CPUQuotaPerSecUSec=250000");
}

TEST("systemd limits: cgroup v2's own files") {
  EXPECT_EQ(
      told(
          {.unified = {{"memory.high", "5"}, {"memory.max", "max"}, {"memory.min", "1"}, {"pids.max", "7"}}}),
      "MemoryHigh=5 MemoryMax=max MemoryMin=1 TasksMax=7");
  EXPECT_EQ(told({.unified = {{"cpu.max", "50000 100000"}, {"cpu.weight", "10"}}}),
            "CPUQuotaPeriodUSec=100000 CPUQuotaPerSecUSec=500000 CPUWeight=10");
  EXPECT_EQ(told({.unified = {{"cpu.max", "max"}, {"cpuset.cpus", "1"}}}),
            "CPUQuotaPerSecUSec=max AllowedCPUs=02");
  EXPECT_EQ(told({.unified = {{"memory.oom.group", "1"}, {"io.weight", "8:0 50"}}}), "");
  EXPECT_EQ(told({.unified = {{"memory.high", "five"}}}), "set unified memory.high: not a value: \"five\"");
  EXPECT_EQ(told({.unified = {{"cpu.max", "1 0"}}}), "set unified cpu.max: not a value: \"1 0\"");
}

TEST("systemd limits: lists of numbers as bits") {
  EXPECT_EQ(bits("0"), "01");
  EXPECT_EQ(bits("0-7"), "ff");
  EXPECT_EQ(bits("8, 1"), "0201");
  for (const char* list : {"", "a", "3-1", "1-", "-1", "8192", "0-99999999999", ","})
    EXPECT_EQ(bits(list), "refused");
}

TEST("systemd: where its managers are looked for") {
  const auto places =
      bus_places(Manager::kUser, {"unix:path=/x/bus,guid=1;tcp:host=a;unix:abstract=y", "/run/u"});
  std::string text;
  for (const BusPlace& each : places)
    text += (each.address.abstract ? "@" : "") + std::string(each.address.name.view()) +
            (each.peer == dbus::Peer::kBus ? " " : "! ");
  EXPECT(text.starts_with("/x/bus @y /run/u/bus /run/u/systemd/private! /run/user/"));
  EXPECT(!dbus::parse_addresses("tcp:host=a"));
  EXPECT(!dbus::parse_addresses("unix:path="));
  EXPECT(!dbus::parse_addresses("unix:path=/a%0"));
  EXPECT(!dbus::parse_addresses("unix:path=/a%00b"));
  EXPECT(!dbus::parse_addresses("unix:path=/" + std::string(200, 'a')));
  EXPECT_EQ(dbus::parse_addresses("unix:path=/a%20b")->front().name.view(), "/a b");
}
