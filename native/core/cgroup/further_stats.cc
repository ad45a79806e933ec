#include "core/cgroup/further_stats.h"

#include "core/base/text.h"
#include "core/cgroup/cgroup.h"
#include "core/cgroup/files.h"

namespace nsbox::cgroup {
namespace {

V1Counter counter(int dir, std::string_view name) {
  const auto number = [&](std::string_view end) { return read_number(dir, format(name, end).c_str()); };
  V1Counter out;
  out.limit = number("limit_in_bytes");
  out.current = number("usage_in_bytes");
  out.peak = number("max_usage_in_bytes");
  out.limit_hits = number("failcnt");
  return out;
}

void read_memory_v1(int dir, FurtherStats& out) {
  out.swap = counter(dir, "memory.memsw.");
  out.kernel = counter(dir, "memory.kmem.");
  out.kernel_tcp = counter(dir, "memory.kmem.tcp.");
}

// "cpu user system", then a line a processor.
void read_processors(int dir, FurtherStats& out) {
  auto text = read_value(dir, "cpuacct.usage_all");
  if (!text) return;
  std::string_view rest = *text;
  cut(rest, '\n');
  while (!rest.empty()) {
    std::string_view line = cut(rest, '\n');
    cut(line, ' ');
    const uint64_t user = parse_unsigned(cut(line, ' ')).value_or(0);
    const uint64_t system = parse_unsigned(line).value_or(0);
    out.cpu_user_ns.push_back(user);
    out.cpu_system_ns.push_back(system);
  }
  auto usage = read_value(dir, "cpuacct.usage_percpu");
  if (!usage) return;
  rest = trim(*usage);
  while (!rest.empty()) out.cpu_ns.push_back(parse_unsigned(cut(rest, ' ')).value_or(0));
}

std::optional<PressureLine> parse_line(std::string_view line, std::string_view kind) {
  if (cut(line, ' ') != kind) return {};
  PressureLine out;
  const auto value = [&](std::string_view name) {
    std::string_view pair = cut(line, ' ');
    return cut(pair, '=') == name ? pair : std::string_view();
  };
  out.avg10 = String(value("avg10"));
  out.avg60 = String(value("avg60"));
  out.avg300 = String(value("avg300"));
  const auto total = parse_unsigned(value("total"));
  if (out.avg10.empty() || out.avg60.empty() || out.avg300.empty() || !total) return {};
  out.total_us = *total;
  return out;
}

std::optional<Pressure> pressure_of(const Hierarchy* group, const char* file) {
  if (!group || group->version != Version::kV2) return {};
  auto text = read_value(group->dir.get(), file);
  return text ? parse_pressure(*text) : std::nullopt;
}

}  // namespace

std::optional<Pressure> parse_pressure(std::string_view text) {
  auto some = parse_line(cut(text, '\n'), "some");
  if (!some) return {};
  Pressure out;
  out.some = std::move(*some);
  // Linux before 5.13 has no such line for processors.
  if (auto full = parse_line(cut(text, '\n'), "full")) out.full = std::move(*full);
  return out;
}

FurtherStats read_further_stats(const GroupSet& set) {
  FurtherStats out;
  const Hierarchy* memory = set.find(Controller::kMemory);
  if (memory && memory->version == Version::kV1) read_memory_v1(memory->dir.get(), out);
  const Hierarchy* account = set.find(Controller::kCpuacct);
  if (account && account->version == Version::kV1) read_processors(account->dir.get(), out);
  out.cpu_pressure = pressure_of(set.find(Controller::kCpu), "cpu.pressure");
  out.memory_pressure = pressure_of(memory, "memory.pressure");
  out.io_pressure = pressure_of(set.find(Controller::kBlkio), "io.pressure");
  return out;
}

}  // namespace nsbox::cgroup
