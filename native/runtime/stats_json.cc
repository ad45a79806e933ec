#include "runtime/stats_json.h"

#include "core/base/json.h"

namespace nsbox::runtime {
namespace {

using cgroup::Count;

// How v1 says that there is no limit; runc passes it on.
constexpr uint64_t kUnlimitedV1 = 9223372036854771712U;

class StatsWriter {
 public:
  StatsWriter(const cgroup::GroupSet& groups, const cgroup::Stats& stats, const cgroup::FurtherStats& further)
      : stats_(stats), further_(further) {
    const cgroup::Hierarchy* memory = groups.find(cgroup::Controller::kMemory);
    old_memory_ = memory && memory->version == cgroup::Version::kV1;
  }

  String write(std::string_view id) {
    out_.begin_object();
    out_.key("type").string("stats");
    out_.key("id").string(id);
    out_.key("data").begin_object();
    write_cpu();
    write_memory();
    write_pids();
    write_block_io();
    write_hugepages();
    out_.key("network_interfaces").begin_array();
    out_.end_array();
    out_.end_object();
    out_.end_object();
    return out_.take();
  }

 private:
  void number(std::string_view name, Count value) { out_.key(name).unsigned_number(value.value_or(0)); }
  void unless_zero(std::string_view name, Count value) {
    if (value && *value != 0) number(name, value);
  }
  void unless_empty(std::string_view name, const Vector<uint64_t>& values) {
    if (values.empty()) return;
    out_.key(name).begin_array();
    for (const uint64_t value : values) out_.unsigned_number(value);
    out_.end_array();
  }

  void write_cpu() {
    out_.key("cpu").begin_object();
    out_.key("usage").begin_object();
    unless_zero("total", stats_.cpu.usage_ns);
    unless_empty("percpu", further_.cpu_ns);
    unless_empty("percpu_kernel", further_.cpu_system_ns);
    unless_empty("percpu_user", further_.cpu_user_ns);
    number("kernel", stats_.cpu.system_ns);
    number("user", stats_.cpu.user_ns);
    out_.end_object();
    out_.key("throttling").begin_object();
    unless_zero("periods", stats_.cpu.periods);
    unless_zero("throttledPeriods", stats_.cpu.throttled_periods);
    unless_zero("throttledTime", stats_.cpu.throttled_ns);
    out_.end_object();
    write_pressure(further_.cpu_pressure);
    out_.end_object();
  }

  void write_entry(std::string_view name, const cgroup::V1Counter& entry) {
    out_.key(name).begin_object();
    number("limit", entry.limit);
    unless_zero("usage", entry.current);
    unless_zero("max", entry.peak);
    number("failcnt", entry.limit_hits);
    out_.end_object();
  }

  Count limit_of(Count limit) const {
    return limit && *limit == cgroup::kUnlimited && old_memory_ ? Count(kUnlimitedV1) : limit;
  }

  // As v1 counts it, memory and swap together, whatever the version.
  cgroup::V1Counter swap() const {
    if (old_memory_) return further_.swap;
    const cgroup::MemoryStats& memory = stats_.memory;
    cgroup::V1Counter out;
    if (memory.swap_current) out.current = *memory.swap_current + memory.current.value_or(0);
    out.limit = memory.swap_limit;
    const bool bounded = memory.swap_limit && *memory.swap_limit != cgroup::kUnlimited && memory.limit;
    if (bounded)
      out.limit = *memory.limit == cgroup::kUnlimited ? *memory.limit : *memory.swap_limit + *memory.limit;
    return out;
  }

  void write_memory() {
    const cgroup::MemoryStats& memory = stats_.memory;
    out_.key("memory").begin_object();
    unless_zero("cache", memory.file);
    write_entry("usage", {limit_of(memory.limit), memory.current, memory.peak, memory.limit_hits});
    write_entry("swap", swap());
    write_entry("kernel", further_.kernel);
    write_entry("kernelTCP", further_.kernel_tcp);
    if (!memory.detail.empty()) {
      out_.key("raw").begin_object();
      for (const cgroup::Counter& each : memory.detail) out_.key(each.name).unsigned_number(each.value);
      out_.end_object();
    }
    write_pressure(further_.memory_pressure);
    out_.end_object();
  }

  void write_pids() {
    out_.key("pids").begin_object();
    unless_zero("current", stats_.pids.current);
    if (stats_.pids.limit && *stats_.pids.limit != cgroup::kUnlimited)
      unless_zero("limit", stats_.pids.limit);
    out_.end_object();
  }

  void write_operation(const cgroup::IoDeviceStats& device, std::string_view operation, uint64_t value) {
    out_.begin_object();
    unless_zero("major", device.major);
    unless_zero("minor", device.minor);
    out_.key("op").string(operation);
    unless_zero("value", value);
    out_.end_object();
  }

  void write_devices(std::string_view name, uint64_t cgroup::IoDeviceStats::*read,
                     uint64_t cgroup::IoDeviceStats::*write) {
    if (stats_.io.empty()) return;
    out_.key(name).begin_array();
    for (const cgroup::IoDeviceStats& device : stats_.io) {
      write_operation(device, "Read", device.*read);
      write_operation(device, "Write", device.*write);
    }
    out_.end_array();
  }

  void write_block_io() {
    out_.key("blkio").begin_object();
    write_devices("ioServiceBytesRecursive", &cgroup::IoDeviceStats::read_bytes,
                  &cgroup::IoDeviceStats::write_bytes);
    write_devices("ioServicedRecursive", &cgroup::IoDeviceStats::read_operations,
                  &cgroup::IoDeviceStats::write_operations);
    write_pressure(further_.io_pressure);
    out_.end_object();
  }

  void write_hugepages() {
    out_.key("hugetlb").begin_object();
    for (const cgroup::HugepageStats& each : stats_.hugepages) {
      out_.key(each.page_size).begin_object();
      unless_zero("usage", each.current);
      unless_zero("max", each.peak);
      number("failcnt", each.limit_hits);
      out_.end_object();
    }
    out_.end_object();
  }

  // The averages are numbers in the kernel's text already, so they pass through as they are.
  void write_pressure_line(std::string_view name, const cgroup::PressureLine& line) {
    out_.key(name).begin_object();
    out_.key("avg10").decimal(line.avg10.empty() ? "0" : line.avg10.view());
    out_.key("avg60").decimal(line.avg60.empty() ? "0" : line.avg60.view());
    out_.key("avg300").decimal(line.avg300.empty() ? "0" : line.avg300.view());
    out_.key("total").unsigned_number(line.total_us);
    out_.end_object();
  }

  void write_pressure(const std::optional<cgroup::Pressure>& pressure) {
    if (!pressure) return;
    out_.key("psi").begin_object();
    write_pressure_line("some", pressure->some);
    write_pressure_line("full", pressure->full);
    out_.end_object();
  }

  json::Writer out_;
  const cgroup::Stats& stats_;
  const cgroup::FurtherStats& further_;
  bool old_memory_ = false;
};

}  // namespace

String stats_event(std::string_view id, const cgroup::GroupSet& groups, const cgroup::Stats& stats,
                   const cgroup::FurtherStats& further) {
  return format(StatsWriter(groups, stats, further).write(id), "\n");
}

String oom_event(std::string_view id) {
  json::Writer out;
  out.begin_object();
  out.key("type").string("oom");
  out.key("id").string(id);
  out.end_object();
  return format(out.view(), "\n");
}

}  // namespace nsbox::runtime
