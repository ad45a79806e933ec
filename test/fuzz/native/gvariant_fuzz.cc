// The values of org.systemd.property.* annotations, and the names of units and lists of processors beside
// them: the name of a property, and its value, with a NUL between. What is accepted is a message that D-Bus
// takes.
#include <cstdint>
#include <cstdlib>

#include "core/base/text.h"
#include "core/cgroup/dbus_reader.h"
#include "core/cgroup/gvariant.h"
#include "core/cgroup/systemd_properties.h"
#include "core/cgroup/unit_name.h"
#include "target.h"

using namespace nsbox;
using namespace nsbox::cgroup;

namespace {

bool is_message(const dbus::Properties& properties) {
  dbus::Writer body;
  properties.write_to(body);
  dbus::Writer out;
  out.byte('l').byte(2).byte(0).byte(1).uint32(static_cast<uint32_t>(body.view().size())).uint32(7);
  const auto fields = out.begin_array(8);
  out.begin_struct().byte(5).variant("u").uint32(3);
  out.begin_struct().byte(8).variant("g").signature("a(sv)");
  out.end_array(fields);
  out.raw(body.view());
  // Longer than any message is refused elsewhere.
  return out.view().size() > dbus::kMaxMessage || dbus::parse_message(out.view());
}

void check_unit(std::string_view path) {
  for (const Manager manager : {Manager::kSystem, Manager::kUser}) {
    auto name = parse_unit_name(path, "c1", manager);
    if (!name) continue;
    for (const char c : name->unit.view())
      if (c <= ' ' || c > '~' || c == '/') std::abort();
    if (!expand_slice(name->slice)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string_view name = cut(rest, '\0');
  dbus::Properties properties;
  if (add_annotated_property(properties, name, rest) && !is_message(properties)) std::abort();
  check_unit(name);
  (void)bits_of_list(rest);
  Limits limits;
  limits.unified.push_back({name, rest});
  limits.cpu.cpus = rest;
  dbus::Properties of_limits;
  if (add_limits(of_limits, limits, {Version::kV2, 252}) && !is_message(of_limits)) std::abort();
  return 0;
}

namespace nsbox::fuzz {

std::vector<std::string> seeds() {
  const auto pair = [](std::string_view name, std::string_view value) {
    return std::string(name) + std::string(1, '\0') + std::string(value);
  };
  return {pair("TimeoutStopSec", "uint64 5"),
          pair("TimeoutStopSec", "1.5e3"),
          pair("CollectMode", "'inactive-or-failed'"),
          pair("Wants", "['a.service', \"b\\u00e9\"]"),
          pair("DeviceAllow", "@a(ss) [('/dev/null', 'rw'), ('char-pts', 'rwm')]"),
          pair("Environment", "{'a': <byte 5>, 'b': <[1, uint16 2]>}"),
          pair("AllowedCPUs", "[byte 0xff, 010]"),
          pair("machine.slice:libpod:abc", "0-3,7"),
          pair("::a-b.slice", "b'bytes'"),
          pair("cpu.max", "50000 100000"),
          pair("memory.high", "max")};
}

std::vector<std::string> words() {
  return {"true",        "false",      "uint64 ", "int16 ",  "byte ", "double ",
          "objectpath ", "signature ", "@as ",    "@a{sv} ", "[]",    "()",
          "<",           ">",          "{",       "}",       "'",     "\"",
          "\\u",         "b'",         "0x",      "-",       "1e9",   ".5",
          ":",           ",",          ".slice",  ".scope",  "Sec",   "18446744073709551615"};
}

}  // namespace nsbox::fuzz
