#include "core/cgroup/systemd_properties.h"

#include <algorithm>

#include "core/base/text.h"

namespace nsbox::cgroup {

namespace {

// The versions of systemd from which on they are known.
constexpr unsigned kHasQuotaPeriod = 242, kHasCpuSets = 244, kHasIdleWeight = 252;
constexpr uint64_t kDefaultPeriodUs = 100'000;
constexpr uint64_t kUnlimited = UINT64_MAX;

bool is_set(const std::optional<int64_t>& value) { return value && *value != 0; }
bool is_set(const std::optional<uint64_t>& value) { return value && *value != 0; }
uint64_t bound(int64_t value) { return value < 0 ? kUnlimited : static_cast<uint64_t>(value); }

void add_memory(dbus::Properties& out, const MemoryLimits& memory, Version version) {
  if (version == Version::kV1) {
    if (is_set(memory.limit)) out.uint64("MemoryLimit", bound(*memory.limit));
    return;
  }
  if (is_set(memory.limit)) out.uint64("MemoryMax", bound(*memory.limit));
  if (is_set(memory.reservation)) out.uint64("MemoryLow", bound(*memory.reservation));
  // v2 counts swap alone. Sums that cannot be are refused by apply_limits().
  if (is_set(memory.swap) && *memory.swap < 0) out.uint64("MemorySwapMax", kUnlimited);
  if (is_set(memory.swap) && is_set(memory.limit) && *memory.limit > 0 && *memory.swap >= *memory.limit)
    out.uint64("MemorySwapMax", static_cast<uint64_t>(*memory.swap - *memory.limit));
  if (!is_set(memory.swap) && is_set(memory.limit) && *memory.limit < 0)
    out.uint64("MemorySwapMax", kUnlimited);
}

// systemd counts in hundredths of a processor, so what is between two is rounded up.
uint64_t quota_per_second(uint64_t quota, uint64_t period) {
  constexpr uint64_t kSecond = 1'000'000, kStep = 10'000;
  if (quota > UINT64_MAX / kSecond / 2) return kUnlimited;
  const uint64_t each = quota * kSecond / period;
  return (each + kStep - 1) / kStep * kStep;
}

void add_quota(dbus::Properties& out, std::optional<int64_t> quota, std::optional<uint64_t> period,
               unsigned systemd) {
  if (!is_set(quota) && !is_set(period)) return;
  const uint64_t length = is_set(period) ? *period : kDefaultPeriodUs;
  if (is_set(period) && systemd >= kHasQuotaPeriod) out.uint64("CPUQuotaPeriodUSec", length);
  if (!is_set(quota)) return;
  const bool limited = *quota > 0;
  out.uint64("CPUQuotaPerSecUSec",
             limited ? quota_per_second(static_cast<uint64_t>(*quota), length) : kUnlimited);
}

void add_weight(dbus::Properties& out, const CpuLimits& cpu, const PropertyDialect& dialect) {
  if (dialect.version == Version::kV1) {
    if (is_set(cpu.shares)) out.uint64("CPUShares", std::clamp<uint64_t>(*cpu.shares, 2, 262144));
  } else if (cpu.idle && *cpu.idle == 1 && dialect.systemd >= kHasIdleWeight) {
    out.uint64("CPUWeight", 0);
  } else if (is_set(cpu.shares)) {
    out.uint64("CPUWeight", cpu_weight(*cpu.shares));
  }
}

Status add_set(dbus::Properties& out, std::string_view name, std::string_view list, unsigned systemd) {
  if (list.empty() || systemd < kHasCpuSets) return Ok{};
  out.bytes(name, TRY(bits_of_list(list)));
  return Ok{};
}

void add_io(dbus::Properties& out, const BlockIoLimits& io, Version version) {
  if (!io.weight || *io.weight == 0) return;
  if (version == Version::kV1)
    out.uint64("BlockIOWeight", *io.weight);
  else
    out.uint64("IOWeight", io_weight(*io.weight));
}

// --- linux.resources.unified: cgroup v2's own files ---

struct UnifiedProperty {
  std::string_view file, property;
};
constexpr UnifiedProperty kUnified[] = {
    {"cpu.weight", "CPUWeight"},          {"io.weight", "IOWeight"},   {"memory.high", "MemoryHigh"},
    {"memory.low", "MemoryLow"},          {"memory.max", "MemoryMax"}, {"memory.min", "MemoryMin"},
    {"memory.swap.max", "MemorySwapMax"}, {"pids.max", "TasksMax"},
};

Error bad_unified(const UnifiedEntry& entry) {
  return Error::invalid("set unified ", entry.file, ": not a value: \"", entry.value, '"');
}

Result<uint64_t> number_or_unlimited(const UnifiedEntry& entry) {
  std::string_view text = trim(entry.value);
  if (text == "max") return kUnlimited;
  if (entry.file == "io.weight" && text.starts_with("default ")) text.remove_prefix(8);
  const auto number = parse_unsigned(text);
  if (!number) return bad_unified(entry);
  return *number;
}

// "quota period", "max period" or "quota".
Status add_unified_quota(dbus::Properties& out, const UnifiedEntry& entry, unsigned systemd) {
  std::string_view rest = trim(entry.value);
  const std::string_view quota = cut(rest, ' ');
  const auto period = parse_unsigned(rest);
  if (!rest.empty() && (!period || *period == 0)) return bad_unified(entry);
  const auto number = parse_unsigned(quota);
  if (quota != "max" && (!number || *number == 0 || *number > INT64_MAX)) return bad_unified(entry);
  add_quota(out, number ? static_cast<int64_t>(*number) : -1, period, systemd);
  return Ok{};
}

// What has no property is left to the file.
Status add_unified(dbus::Properties& out, const UnifiedEntry& entry, unsigned systemd) {
  if (entry.file == "cpu.max") return add_unified_quota(out, entry, systemd);
  if (entry.file == "cpuset.cpus") return add_set(out, "AllowedCPUs", trim(entry.value), systemd);
  if (entry.file == "cpuset.mems") return add_set(out, "AllowedMemoryNodes", trim(entry.value), systemd);
  if (entry.file == "cpu.idle" && trim(entry.value) == "1" && systemd >= kHasIdleWeight)
    out.uint64("CPUWeight", 0);
  // One weight for each device has no property of its own.
  if (entry.file == "io.weight" && entry.value.find(':') != std::string_view::npos) return Ok{};
  for (const UnifiedProperty& each : kUnified)
    if (each.file == entry.file) out.uint64(each.property, TRY(number_or_unlimited(entry)));
  return Ok{};
}

// --- lists ---

constexpr uint64_t kMaxBit = 8191;  // The kernel's own limit of processors.

bool parse_range(std::string_view text, uint64_t& first, uint64_t& last) {
  const bool single = text.find('-') == std::string_view::npos;
  const auto from = parse_unsigned(cut(text, '-'));
  const auto to = single ? from : parse_unsigned(text);
  if (!from || !to || *from > *to || *to > kMaxBit) return false;
  first = *from;
  last = *to;
  return true;
}

}  // namespace

Result<String> bits_of_list(std::string_view list) {
  Vector<uint8_t> bits;
  for (const std::string_view part : split(list, ',')) {
    uint64_t first = 0, last = 0;
    if (trim(part).empty()) continue;
    if (!parse_range(trim(part), first, last)) return Error::invalid("not a list of numbers: \"", list, '"');
    if (bits.size() <= last / 8) bits.resize(last / 8 + 1, 0);
    for (uint64_t bit = first; bit <= last; bit++)
      bits[bit / 8] = static_cast<uint8_t>(bits[bit / 8] | 1U << bit % 8);
  }
  if (bits.empty()) return Error::invalid("not a list of numbers: \"", list, '"');
  return String(std::string_view(reinterpret_cast<const char*>(bits.data()), bits.size()));
}

bool depends_on_version(const Limits& limits) {
  const CpuLimits& cpu = limits.cpu;
  if (is_set(cpu.period) || cpu.idle || !cpu.cpus.empty() || !cpu.mems.empty()) return true;
  return std::any_of(limits.unified.begin(), limits.unified.end(),
                     [](const UnifiedEntry& each) { return each.file.starts_with("cpu"); });
}

void add_accounting(dbus::Properties& out, Version version) {
  out.boolean("MemoryAccounting", true);
  out.boolean("CPUAccounting", true);
  out.boolean(version == Version::kV1 ? "BlockIOAccounting" : "IOAccounting", true);
  out.boolean("TasksAccounting", true);
}

Status add_limits(dbus::Properties& out, const Limits& limits, const PropertyDialect& dialect) {
  const CpuLimits& cpu = limits.cpu;
  add_memory(out, limits.memory, dialect.version);
  add_weight(out, cpu, dialect);
  add_quota(out, cpu.quota, cpu.period, dialect.systemd);
  TRY(add_set(out, "AllowedCPUs", cpu.cpus, dialect.systemd));
  TRY(add_set(out, "AllowedMemoryNodes", cpu.mems, dialect.systemd));
  // systemd refuses a limit of none at all, which the file takes.
  if (is_set(limits.pids)) out.uint64("TasksMax", bound(*limits.pids));
  add_io(out, limits.block_io, dialect.version);
  if (dialect.version == Version::kV2)
    for (const UnifiedEntry& each : limits.unified) TRY(add_unified(out, each, dialect.systemd));
  return Ok{};
}

}  // namespace nsbox::cgroup
