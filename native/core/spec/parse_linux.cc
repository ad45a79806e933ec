#include "core/base/number_list.h"
#include "core/net/device.h"
#include "core/spec/parts.h"

namespace nsbox {

namespace {

constexpr uint32_t kMpolDefault = 0, kMpolPreferred = 1, kMpolLocal = 4;
constexpr uint32_t kStaticNodes = 1U << 15, kRelativeNodes = 1U << 14;

// set_mempolicy(2) answers all of these with the same EINVAL.
Status refuse_foreign_nodes(const Reader& object, std::string_view mode, const MemoryPolicy& policy) {
  const bool takes_none = policy.mode == kMpolDefault || policy.mode == kMpolLocal;
  if (takes_none && !policy.nodes.empty()) return object.refuse("nodes", format(mode, " takes no nodes"));
  if (!takes_none && policy.mode != kMpolPreferred && policy.nodes.empty())
    return object.refuse("nodes", format(mode, " needs nodes"));
  if (takes_none && policy.flags != 0) return object.refuse("flags", format(mode, " takes no flags"));
  if ((policy.flags & kStaticNodes) && (policy.flags & kRelativeNodes))
    return object.refuse("flags", "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other");
  return Ok{};
}

Status read_memory_policy(const Reader& object, std::optional<MemoryPolicy>& out) {
  MemoryPolicy policy;
  const std::string_view mode = TRY(read_named(object, "mode", memory_policy_mode, policy.mode));
  TRY(read_flags(object, memory_policy_flag, policy.flags));
  TRY(object.read("nodes", policy.nodes));
  if (auto nodes = parse_number_list(policy.nodes); !nodes)
    return object.refuse("nodes", nodes.error().message());
  TRY(refuse_foreign_nodes(object, mode, policy));
  out = policy;
  return Ok{};
}

Status read_personality(const Reader& object, std::optional<uint64_t>& out) {
  std::string_view domain;
  Vector<std::string_view> flags;
  TRY(object.read("domain", domain));
  TRY(object.read("flags", flags));
  if (!flags.empty()) return object.refuse("flags", "the specification defines no flags yet");
  if (domain == "LINUX")
    out = 0x0000;  // PER_LINUX
  else if (domain == "LINUX32")
    out = 0x0008;  // PER_LINUX32
  else
    return object.refuse("domain", format("expected LINUX or LINUX32, got ", domain));
  return Ok{};
}

Status read_time_offset(const Reader& object, std::string_view clock, Vector<TimeOffset>& out) {
  TimeOffset offset;
  offset.clock = clock;
  TRY(object.read("secs", offset.seconds));
  TRY(object.read("nanosecs", offset.nanoseconds));
  if (offset.nanoseconds > 999'999'999) return object.refuse("nanosecs", "expected 0 to 999999999");
  out.push_back(offset);
  return Ok{};
}

Status read_time_offsets(const Reader& object, Vector<TimeOffset>& out) {
  for (const json::Member& member : object.value().members())
    if (member.name != "monotonic" && member.name != "boottime")
      return object.refuse(member.name, "no clock of a time namespace: expected monotonic or boottime");
  for (std::string_view clock : {"monotonic", "boottime"})
    TRY(object.with_object(clock, [&](const Reader& one) { return read_time_offset(one, clock, out); }));
  return Ok{};
}

std::string_view name_inside(const NetDevice& device) {
  return device.name.empty() ? device.host_name : device.name;
}

Status read_net_devices(const Reader& object, Vector<NetDevice>& out) {
  for (const json::Member& member : object.value().members()) {
    NetDevice device;
    device.host_name = member.name;
    if (!is_net_device_name(device.host_name))
      return object.refuse(member.name, "not the name of a network interface");
    const Reader entry(member.value, member.name, &object);
    TRY(entry.expect_object());
    TRY(entry.read("name", device.name));
    if (!device.name.empty() && !is_net_device_name(device.name))
      return entry.refuse("name", "not the name of a network interface");
    for (const NetDevice& other : out) {
      if (other.host_name == device.host_name) return entry.refuse("", "stands twice");
      if (name_inside(other) == name_inside(device))
        return entry.refuse("", format("two devices would be called ", name_inside(device)));
    }
    out.push_back(device);
  }
  return Ok{};
}

bool is_one_line(std::string_view text) { return text.find('\n') == std::string_view::npos; }

Status read_intel_rdt(const Reader& object, std::optional<cgroup::IntelRdt>& out) {
  cgroup::IntelRdt rdt;
  TRY(object.read("closID", rdt.clos_id));
  TRY(object.read("l3CacheSchema", rdt.l3_cache_schema));
  TRY(object.read("memBwSchema", rdt.mem_bw_schema));
  TRY(object.read("schemata", rdt.schemata));
  TRY(object.read("enableMonitoring", rdt.enable_monitoring));
  TRY(object.read("enableCMT", rdt.enable_cmt));
  TRY(object.read("enableMBM", rdt.enable_mbm));
  // "/" is the default class, the root of the file system.
  if (rdt.clos_id == "." || rdt.clos_id == ".." || !is_one_line(rdt.clos_id) ||
      (rdt.clos_id != "/" && rdt.clos_id.find('/') != std::string_view::npos))
    return object.refuse("closID", "expected a name without slashes, or / alone");
  if (!rdt.mem_bw_schema.empty() &&
      (!rdt.mem_bw_schema.starts_with("MB:") || !is_one_line(rdt.mem_bw_schema)))
    return object.refuse("memBwSchema", "expected a line that begins with MB:");
  for (size_t i = 0; i < rdt.schemata.size(); i++)
    if (!is_one_line(rdt.schemata[i])) return object.refuse(format("schemata[", i, "]"), "expected one line");
  out = std::move(rdt);
  return Ok{};
}

Status read_seccomp_listener(const Reader& seccomp, Config& out) {
  TRY(seccomp.read("listenerPath", out.seccomp_listener_path));
  TRY(seccomp.read("listenerMetadata", out.seccomp_listener_metadata));
  if (!out.seccomp_listener_metadata.empty() && out.seccomp_listener_path.empty())
    return seccomp.refuse("listenerMetadata", "needs listenerPath");
  return Ok{};
}

}  // namespace

Status read_linux_extras(const Reader& linux_object, Config& out) {
  TRY(linux_object.read("cgroupsPath", out.cgroups_path));
  TRY(linux_object.read("mountLabel", out.mount_label));
  TRY(linux_object.with_object(
      "memoryPolicy", [&](const Reader& policy) { return read_memory_policy(policy, out.memory_policy); }));
  TRY(linux_object.with_object("personality",
                               [&](const Reader& one) { return read_personality(one, out.personality); }));
  TRY(linux_object.with_object(
      "timeOffsets", [&](const Reader& offsets) { return read_time_offsets(offsets, out.time_offsets); }));
  TRY(linux_object.with_object(
      "netDevices", [&](const Reader& devices) { return read_net_devices(devices, out.net_devices); }));
  TRY(linux_object.with_object("intelRdt",
                               [&](const Reader& rdt) { return read_intel_rdt(rdt, out.intel_rdt); }));
  return linux_object.with_object("seccomp",
                                  [&](const Reader& seccomp) { return read_seccomp_listener(seccomp, out); });
}

}  // namespace nsbox
