#include "core/cgroup/stats.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/cgroup/cgroup.h"
#include "core/cgroup/files.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox::cgroup {

namespace {

// A text to look values up in; empty when the file is not there.
String text_of(const Hierarchy& group, const char* file) {
  auto text = read_value(group.dir.get(), file);
  return text ? std::move(text).value() : String();
}

Count number_in(const Hierarchy& group, const char* file) { return read_number(group.dir.get(), file); }

// v1 says "no limit" with the largest multiple of the page size.
Count limit_in(const Hierarchy& group, const char* file) {
  const Count limit = number_in(group, file);
  return limit && *limit >= uint64_t{0x7FFFFFFFFFFF0000} ? kUnlimited : limit;
}

Count times(Count value, uint64_t factor) { return value ? Count(*value * factor) : std::nullopt; }

Vector<Counter> counters_of(std::string_view text) {
  Vector<Counter> all;
  while (!text.empty()) {
    std::string_view line = cut(text, '\n');
    const std::string_view name = cut(line, ' ');
    if (const auto value = parse_unsigned(line)) all.push_back({String(name), *value});
  }
  return all;
}

// --- memory ---

Count beyond(Count both, Count memory) {
  if (!both || !memory) return std::nullopt;
  if (*both == kUnlimited) return kUnlimited;
  return *both > *memory ? *both - *memory : 0;
}

MemoryStats memory_v1(const Hierarchy& group) {
  MemoryStats out;
  out.current = number_in(group, "memory.usage_in_bytes");
  out.peak = number_in(group, "memory.max_usage_in_bytes");
  out.limit = limit_in(group, "memory.limit_in_bytes");
  out.swap_current = beyond(number_in(group, "memory.memsw.usage_in_bytes"), out.current);
  out.swap_limit = beyond(limit_in(group, "memory.memsw.limit_in_bytes"), out.limit);
  out.oom_kills = value_of(text_of(group, "memory.oom_control"), "oom_kill");
  out.limit_hits = number_in(group, "memory.failcnt");
  const String stat = text_of(group, "memory.stat");
  out.anonymous = value_of(stat, "total_rss");
  out.file = value_of(stat, "total_cache");
  out.inactive_file = value_of(stat, "total_inactive_file");
  out.detail = counters_of(stat);
  return out;
}

MemoryStats memory_v2(const Hierarchy& group) {
  MemoryStats out;
  out.current = number_in(group, "memory.current");
  out.peak = number_in(group, "memory.peak");
  out.limit = number_in(group, "memory.max");
  out.swap_current = number_in(group, "memory.swap.current");
  out.swap_limit = number_in(group, "memory.swap.max");
  const String events = text_of(group, "memory.events");
  out.oom_kills = value_of(events, "oom_kill");
  out.limit_hits = value_of(events, "max");
  const String stat = text_of(group, "memory.stat");
  out.anonymous = value_of(stat, "anon");
  out.file = value_of(stat, "file");
  out.inactive_file = value_of(stat, "inactive_file");
  out.detail = counters_of(stat);
  return out;
}

// --- cpu ---

void add_usage_v2(const Hierarchy& group, CpuStats& out) {
  const String stat = text_of(group, "cpu.stat");
  out.usage_ns = times(value_of(stat, "usage_usec"), 1000);
  out.user_ns = times(value_of(stat, "user_usec"), 1000);
  out.system_ns = times(value_of(stat, "system_usec"), 1000);
}

void add_throttling(const Hierarchy& group, CpuStats& out) {
  const String stat = text_of(group, "cpu.stat");
  out.periods = value_of(stat, "nr_periods");
  out.throttled_periods = value_of(stat, "nr_throttled");
  out.throttled_ns = group.version == Version::kV1 ? value_of(stat, "throttled_time")
                                                   : times(value_of(stat, "throttled_usec"), 1000);
}

CpuStats cpu_stats(const GroupSet& set) {
  CpuStats out;
  const Hierarchy* account = set.find(Controller::kCpuacct);
  // Every v2 group counts time, so in a hybrid system too it can stand in for cpuacct.
  if (!account) account = set.find(Controller::kUnified);
  if (account && account->version == Version::kV2) {
    add_usage_v2(*account, out);
  } else if (account) {
    out.usage_ns = number_in(*account, "cpuacct.usage");
    out.user_ns = number_in(*account, "cpuacct.usage_user");
    out.system_ns = number_in(*account, "cpuacct.usage_sys");
  }
  if (const Hierarchy* cpu = set.find(Controller::kCpu)) add_throttling(*cpu, out);
  return out;
}

PidsStats pids_stats(const Hierarchy& group) {
  PidsStats out;
  out.current = number_in(group, "pids.current");
  out.peak = number_in(group, "pids.peak");
  out.limit = number_in(group, "pids.max");
  out.limit_hits = value_of(text_of(group, "pids.events"), "max");
  return out;
}

// --- io ---

IoDeviceStats* device_named(Vector<IoDeviceStats>& all, std::string_view name) {
  const auto major = parse_unsigned(cut(name, ':'));
  const auto minor = parse_unsigned(name);
  if (!major || !minor) return nullptr;
  for (IoDeviceStats& each : all)
    if (each.major == *major && each.minor == *minor) return &each;
  IoDeviceStats device;
  device.major = static_cast<uint32_t>(*major);
  device.minor = static_cast<uint32_t>(*minor);
  all.push_back(device);
  return &all.back();
}

// "8:0 Read 4096"
void add_io_v1(std::string_view text, uint64_t IoDeviceStats::*read, uint64_t IoDeviceStats::*write,
               Vector<IoDeviceStats>& out) {
  while (!text.empty()) {
    std::string_view line = cut(text, '\n');
    IoDeviceStats* device = device_named(out, cut(line, ' '));
    const std::string_view operation = cut(line, ' ');
    const auto value = parse_unsigned(line);
    if (!device || !value) continue;
    if (operation == "Read") device->*read = *value;
    if (operation == "Write") device->*write = *value;
  }
}

// "8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0"
void add_io_v2(std::string_view text, Vector<IoDeviceStats>& out) {
  while (!text.empty()) {
    std::string_view line = cut(text, '\n');
    IoDeviceStats* device = device_named(out, cut(line, ' '));
    if (!device) continue;
    while (!line.empty()) {
      std::string_view pair = cut(line, ' ');
      const std::string_view key = cut(pair, '=');
      const uint64_t value = parse_unsigned(pair).value_or(0);
      if (key == "rbytes") device->read_bytes = value;
      if (key == "wbytes") device->write_bytes = value;
      if (key == "rios") device->read_operations = value;
      if (key == "wios") device->write_operations = value;
    }
  }
}

Vector<IoDeviceStats> io_stats(const Hierarchy& group) {
  Vector<IoDeviceStats> out;
  if (group.version == Version::kV2) {
    add_io_v2(text_of(group, "io.stat"), out);
    return out;
  }
  add_io_v1(text_of(group, "blkio.throttle.io_service_bytes_recursive"), &IoDeviceStats::read_bytes,
            &IoDeviceStats::write_bytes, out);
  add_io_v1(text_of(group, "blkio.throttle.io_serviced_recursive"), &IoDeviceStats::read_operations,
            &IoDeviceStats::write_operations, out);
  return out;
}

// --- huge pages ---

HugepageStats hugepage_stats(const Hierarchy& group, std::string_view size) {
  const String prefix = format("hugetlb.", size, '.');
  const auto number = [&](const char* end) { return number_in(group, format(prefix, end).c_str()); };
  HugepageStats out;
  out.page_size = String(size);
  if (group.version == Version::kV1) {
    out.current = number("usage_in_bytes");
    out.peak = number("max_usage_in_bytes");
    out.limit_hits = number("failcnt");
  } else {
    out.current = number("current");
    out.limit_hits = value_of(text_of(group, format(prefix, "events").c_str()), "max");
  }
  return out;
}

Result<Vector<HugepageStats>> all_hugepages(const Hierarchy& group) {
  constexpr std::string_view kPrefix = "hugetlb.";
  const std::string_view end = group.version == Version::kV1 ? ".limit_in_bytes" : ".max";
  const UniqueFd dir = TRY(sys::openat(group.dir.get(), ".", O_RDONLY | O_DIRECTORY));
  Vector<HugepageStats> out;
  for (const DirectoryEntry& entry : TRY(read_directory(dir.get()))) {
    std::string_view name = entry.name;
    if (!name.starts_with(kPrefix) || !name.ends_with(end)) continue;
    name = name.substr(kPrefix.size(), name.size() - kPrefix.size() - end.size());
    if (!name.ends_with(".rsvd")) out.push_back(hugepage_stats(group, name));
  }
  return out;
}

}  // namespace

Result<Stats> read_stats(const GroupSet& set) {
  Stats stats;
  if (const Hierarchy* memory = set.find(Controller::kMemory))
    stats.memory = memory->version == Version::kV1 ? memory_v1(*memory) : memory_v2(*memory);
  stats.cpu = cpu_stats(set);
  if (const Hierarchy* pids = set.find(Controller::kPids)) stats.pids = pids_stats(*pids);
  if (const Hierarchy* io = set.find(Controller::kBlkio)) stats.io = io_stats(*io);
  if (const Hierarchy* huge = set.find(Controller::kHugetlb)) {
    auto pages = all_hugepages(*huge);
    if (!pages) return pages.error().while_doing("read the use of huge pages");
    stats.hugepages = std::move(pages).value();
  }
  return stats;
}

Result<Count> oom_kill_count(const GroupSet& set) {
  const Hierarchy* memory = set.find(Controller::kMemory);
  if (!memory) return Count();
  const char* file = memory->version == Version::kV1 ? "memory.oom_control" : "memory.events";
  auto text = read_value(memory->dir.get(), file);
  if (!text) return text.error().while_doing("read ", file);
  return value_of(*text, "oom_kill");
}

}  // namespace nsbox::cgroup
