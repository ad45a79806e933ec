#include "core/cgroup/limits.h"

#include <cerrno>

#include "core/base/text.h"
#include "core/cgroup/cgroup.h"
#include "core/cgroup/files.h"
#include "core/cgroup/limit_writer.h"

namespace nsbox::cgroup {

namespace {

Status apply_devices(const GroupSet& set, const Vector<DeviceRule>& rules) {
  if (rules.empty()) return Ok{};
  return apply_device_rules(*TRY(hierarchy_for(set, Controller::kDevices, "device rules")), rules);
}

Status apply_pids(const GroupSet& set, std::optional<int64_t> limit) {
  if (!limit) return Ok{};
  const Hierarchy* group = TRY(hierarchy_for(set, Controller::kPids, "pids limit"));
  return set_limit(*group, "pids limit", "pids.max", number_or_max(*limit));
}

// The reservation files (Linux 5.7) count pages when they are mapped, not when they are touched: without them
// a box could reserve what others need.
Status apply_hugepages(const GroupSet& set, const Vector<HugepageLimit>& limits) {
  for (const HugepageLimit& each : limits) {
    const Hierarchy* group = TRY(hierarchy_for(set, Controller::kHugetlb, "hugepage limit"));
    TRY(check_word("hugepage limit", each.page_size));
    if (each.page_size.find('/') != std::string_view::npos)
      return Error::invalid("set hugepage limit: not a page size: ", each.page_size);
    const char* end = group->version == Version::kV1 ? "limit_in_bytes" : "max";
    const String value = format(each.limit);
    TRY(set_limit(*group, "hugepage limit", format("hugetlb.", each.page_size, '.', end).c_str(), value));
    auto reserved =
        set_limit(*group, "hugepage limit", format("hugetlb.", each.page_size, ".rsvd.", end).c_str(), value);
    if (!reserved && reserved.err() != ENOENT) return reserved;
  }
  return Ok{};
}

Status apply_rdma(const GroupSet& set, const Vector<RdmaLimit>& limits) {
  for (const RdmaLimit& each : limits) {
    const Hierarchy* group = TRY(hierarchy_for(set, Controller::kRdma, "RDMA limit"));
    TRY(check_word("RDMA limit", each.device));
    String line(each.device);
    if (each.hca_handles) append(line, " hca_handle=", *each.hca_handles);
    if (each.hca_objects) append(line, " hca_object=", *each.hca_objects);
    TRY(set_limit(*group, "RDMA limit", "rdma.max", line));
  }
  return Ok{};
}

Status apply_network(const GroupSet& set, const Limits& limits) {
  if (limits.network_class) {
    const Hierarchy* group = TRY(hierarchy_for(set, Controller::kNetCls, "network class"));
    TRY(set_limit(*group, "network class", "net_cls.classid", format(*limits.network_class)));
  }
  for (const InterfacePriority& each : limits.network_priorities) {
    const Hierarchy* group = TRY(hierarchy_for(set, Controller::kNetPrio, "network priority"));
    TRY(check_word("network priority", each.name));
    TRY(set_limit(*group, "network priority", "net_prio.ifpriomap", format(each.name, ' ', each.priority)));
  }
  return Ok{};
}

std::optional<Controller> controller_of_file(std::string_view file) {
  const std::string_view prefix = cut(file, '.');
  if (prefix == "cgroup") return Controller::kUnified;
  const auto known = controller_named(prefix);
  return known == Controller::kUnified ? std::nullopt : known;
}

// Files of the core move, kill or rearrange processes; only its bounds are limits.
bool is_limit_file(std::string_view file) {
  if (file.empty() || file[0] == '.' || file.find('/') != std::string_view::npos) return false;
  return !file.starts_with("cgroup.") || file.starts_with("cgroup.max.");
}

Status apply_unified(const GroupSet& set, const Vector<UnifiedEntry>& entries) {
  for (const UnifiedEntry& each : entries) {
    const auto controller = controller_of_file(each.file);
    if (!is_limit_file(each.file) || !controller)
      return Error::invalid("set unified ", each.file, ": not a limit of cgroup v2");
    const Hierarchy* group = set.find(*controller);
    if (!group || group->version != Version::kV2)
      return Error::plain(kNoController, "set unified ", each.file, ": the cgroup v2 controller ",
                          name_of(*controller, Version::kV2), " is not available to this group");
    const String file(each.file);
    std::string_view lines = trim(each.value);  // Files like io.max take one line a write.
    do {
      TRY(set_limit(*group, format("unified ", file), file.c_str(), cut(lines, '\n')));
    } while (!lines.empty());
  }
  return Ok{};
}

}  // namespace

Controllers needed_controllers(const Limits& limits) {
  Controllers needed;
  const auto add_if = [&](bool condition, Controller controller) {
    if (condition) needed.add(controller);
  };
  add_if(limits_memory(limits.memory), Controller::kMemory);
  add_if(limits_cpu_time(limits.cpu), Controller::kCpu);
  add_if(!limits.cpu.cpus.empty() || !limits.cpu.mems.empty(), Controller::kCpuset);
  add_if(limits.pids.has_value(), Controller::kPids);
  add_if(limits_block_io(limits.block_io), Controller::kBlkio);
  add_if(!limits.hugepages.empty(), Controller::kHugetlb);
  add_if(!limits.rdma.empty(), Controller::kRdma);
  add_if(limits.network_class.has_value(), Controller::kNetCls);
  add_if(!limits.network_priorities.empty(), Controller::kNetPrio);
  add_if(!limits.devices.empty(), Controller::kDevices);
  for (const UnifiedEntry& each : limits.unified)
    if (const auto controller = controller_of_file(each.file)) needed.add(*controller);
  return needed;
}

Status apply_limits(const GroupSet& set, const Limits& limits) {
  TRY(apply_devices(set, limits.devices));
  TRY(apply_memory(set, limits.memory));
  TRY(apply_cpu(set, limits.cpu));
  TRY(apply_pids(set, limits.pids));
  TRY(apply_block_io(set, limits.block_io));
  TRY(apply_hugepages(set, limits.hugepages));
  TRY(apply_rdma(set, limits.rdma));
  TRY(apply_network(set, limits));
  return apply_unified(set, limits.unified);
}

}  // namespace nsbox::cgroup
