#include "core/spec/resources.h"

#include <limits>

#include "core/spec/reader.h"

namespace nsbox {
namespace {

using namespace cgroup;

template <typename Number>
Status read_optional(const Reader& object, std::string_view field, std::optional<Number>& out) {
  if (!object.has(field)) return Ok{};
  if constexpr (std::is_signed_v<Number>) {
    int64_t value = 0;
    TRY(object.read(field, value));
    out = static_cast<Number>(value);
  } else {
    uint64_t value = 0;
    TRY(object.read(field, value));
    if (value > std::numeric_limits<Number>::max()) return object.refuse(field, "too large");
    out = static_cast<Number>(value);
  }
  return Ok{};
}

Status read_memory(const Reader& memory, MemoryLimits& out) {
  TRY(read_optional(memory, "limit", out.limit));
  TRY(read_optional(memory, "reservation", out.reservation));
  TRY(read_optional(memory, "swap", out.swap));
  TRY(read_optional(memory, "kernelTCP", out.kernel_tcp));
  TRY(read_optional(memory, "swappiness", out.swappiness));
  TRY(memory.read("disableOOMKiller", out.disable_oom_killer));
  return memory.read("checkBeforeUpdate", out.check_before_update);
}

Status read_cpu(const Reader& cpu, CpuLimits& out) {
  TRY(read_optional(cpu, "shares", out.shares));
  TRY(read_optional(cpu, "quota", out.quota));
  TRY(read_optional(cpu, "period", out.period));
  TRY(read_optional(cpu, "burst", out.burst));
  TRY(read_optional(cpu, "realtimeRuntime", out.realtime_runtime));
  TRY(read_optional(cpu, "realtimePeriod", out.realtime_period));
  TRY(read_optional(cpu, "idle", out.idle));
  TRY(cpu.read("cpus", out.cpus));
  return cpu.read("mems", out.mems);
}

Status read_throttles(const Reader& io, std::string_view field, Vector<ThrottleDevice>& out) {
  return io.each_object(field, [&](const Reader& entry) -> Status {
    ThrottleDevice one;
    TRY(entry.read("major", one.major));
    TRY(entry.read("minor", one.minor));
    TRY(entry.read("rate", one.rate));
    out.push_back(one);
    return Ok{};
  });
}

Status read_block_io(const Reader& io, BlockIoLimits& out) {
  TRY(read_optional(io, "weight", out.weight));
  if (out.weight == 0) out.weight = std::nullopt;  // No weight in anybody's range: dockerd always sends one.
  TRY(read_optional(io, "leafWeight", out.leaf_weight));
  TRY(io.each_object("weightDevice", [&](const Reader& entry) -> Status {
    WeightDevice one;
    TRY(entry.read("major", one.major));
    TRY(entry.read("minor", one.minor));
    TRY(read_optional(entry, "weight", one.weight));
    TRY(read_optional(entry, "leafWeight", one.leaf_weight));
    out.weight_device.push_back(one);
    return Ok{};
  }));
  TRY(read_throttles(io, "throttleReadBpsDevice", out.read_bps));
  TRY(read_throttles(io, "throttleWriteBpsDevice", out.write_bps));
  TRY(read_throttles(io, "throttleReadIOPSDevice", out.read_iops));
  return read_throttles(io, "throttleWriteIOPSDevice", out.write_iops);
}

Status read_device_rule(const Reader& entry, Vector<DeviceRule>& out) {
  DeviceRule rule;
  std::string_view type = "a", access = "rwm";
  TRY(entry.read("allow", rule.allow));
  TRY(entry.read("type", type));
  TRY(entry.read("access", access));
  for (const auto& [field, target] : {std::pair{"major", &rule.major}, std::pair{"minor", &rule.minor}}) {
    int64_t number = -1;
    TRY(entry.read(field, number));
    if (number > UINT32_MAX) return entry.refuse(field, "too large");
    if (number >= 0) *target = static_cast<uint32_t>(number);
  }
  if (type == "c" || type == "u")
    rule.type = DeviceType::kChar;
  else if (type == "b")
    rule.type = DeviceType::kBlock;
  else if (type != "a" && !type.empty())
    return entry.refuse("type", "expected a, b or c");
  if (access.find_first_not_of("rwm") != std::string_view::npos)
    return entry.refuse("access", "expected letters of rwm");
  rule.read = access.empty() || access.find('r') != std::string_view::npos;
  rule.write = access.empty() || access.find('w') != std::string_view::npos;
  rule.mknod = access.empty() || access.find('m') != std::string_view::npos;
  out.push_back(rule);
  return Ok{};
}

Status read_unified(const Reader& unified, Vector<UnifiedEntry>& out) {
  for (const json::Member& member : unified.value().members()) {
    UnifiedEntry entry;
    entry.file = member.name;
    TRY(unified.read(member.name, entry.value));
    if (entry.file.empty() || entry.file.find('/') != std::string_view::npos ||
        entry.file.find('\0') != std::string_view::npos ||
        (entry.file.starts_with("cgroup.") && !entry.file.starts_with("cgroup.max.")))
      return unified.refuse(entry.file, "not the name of a controller's file");
    out.push_back(entry);
  }
  return Ok{};
}

Status read_network(const Reader& network, Limits& out) {
  TRY(read_optional(network, "classID", out.network_class));
  return network.each_object("priorities", [&](const Reader& entry) -> Status {
    InterfacePriority one;
    TRY(entry.read("name", one.name));
    TRY(entry.read("priority", one.priority));
    out.network_priorities.push_back(one);
    return Ok{};
  });
}

}  // namespace

Result<Limits> parse_resources(const json::Value& value) {
  const Reader resources(value, "linux.resources");
  TRY(resources.expect_object());
  Limits out;
  TRY(resources.with_object("memory", [&](const Reader& memory) { return read_memory(memory, out.memory); }));
  TRY(resources.with_object("cpu", [&](const Reader& cpu) { return read_cpu(cpu, out.cpu); }));
  TRY(resources.with_object("pids",
                            [&](const Reader& pids) { return read_optional(pids, "limit", out.pids); }));
  TRY(resources.with_object("blockIO", [&](const Reader& io) { return read_block_io(io, out.block_io); }));
  TRY(resources.each_object("hugepageLimits", [&](const Reader& entry) -> Status {
    HugepageLimit one;
    TRY(entry.read("pageSize", one.page_size));
    TRY(entry.read("limit", one.limit));
    out.hugepages.push_back(one);
    return Ok{};
  }));
  TRY(resources.with_object("rdma", [&](const Reader& rdma) -> Status {
    for (const json::Member& member : rdma.value().members())
      TRY(rdma.with_object(member.name, [&](const Reader& entry) -> Status {
        RdmaLimit one;
        one.device = member.name;
        // A line of rdma.max begins with it.
        if (one.device.empty() ||
            one.device.find_first_of(std::string_view(" \n\0", 3)) != std::string_view::npos)
          return rdma.refuse(one.device, "not the name of a device");
        TRY(read_optional(entry, "hcaHandles", one.hca_handles));
        TRY(read_optional(entry, "hcaObjects", one.hca_objects));
        out.rdma.push_back(one);
        return Ok{};
      }));
    return Ok{};
  }));
  TRY(resources.with_object("network", [&](const Reader& network) { return read_network(network, out); }));
  TRY(resources.with_object("unified",
                            [&](const Reader& unified) { return read_unified(unified, out.unified); }));
  TRY(resources.each_object("devices",
                            [&](const Reader& entry) { return read_device_rule(entry, out.devices); }));
  return out;
}

}  // namespace nsbox
