#include "core/container/update.h"

#include <cerrno>

#include "core/base/text.h"
#include "core/cgroup/files.h"
#include "core/cgroup/limit_snapshot.h"
#include "core/cgroup/resctrl.h"
#include "core/container/bundle_config.h"
#include "core/container/groups.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

using cgroup::Controller;
using cgroup::GroupSet;
using cgroup::Hierarchy;
using cgroup::Limits;
using cgroup::Version;

constexpr uint64_t kLockTimeout = 10'000'000'000;

bool is_set(const auto& value) { return value && *value != 0; }

// v2 counts swap alone, so the sum of both means something beside the limit on memory only.
void complete_swap(const GroupSet& set, Limits& limits) {
  if (!is_set(limits.memory.swap) || *limits.memory.swap < 0 || is_set(limits.memory.limit)) return;
  const Hierarchy* memory = set.find(Controller::kMemory);
  if (!memory || memory->version != Version::kV2) return;
  const auto now = cgroup::read_number(memory->dir.get(), "memory.max");
  if (now && *now <= INT64_MAX) limits.memory.limit = static_cast<int64_t>(*now);
}

// systemd knows the quota and its period as one number, our callers change either.
void complete_bandwidth(const GroupSet& set, Limits& limits) {
  const Hierarchy* cpu = set.find(Controller::kCpu);
  if (!cpu || is_set(limits.cpu.quota) == is_set(limits.cpu.period)) return;
  const bool old = cpu->version == Version::kV1;
  auto text = cgroup::read_value(cpu->dir.get(), old ? "cpu.cfs_quota_us" : "cpu.max");
  if (!text) return;
  std::string_view rest = trim(*text);
  const auto quota = parse_unsigned(cut(rest, ' '));
  const auto period = old ? cgroup::read_number(cpu->dir.get(), "cpu.cfs_period_us") : parse_unsigned(rest);
  if (!is_set(limits.cpu.quota)) limits.cpu.quota = quota ? static_cast<int64_t>(*quota) : -1;
  if (!is_set(limits.cpu.period)) limits.cpu.period = period;
}

// Our callers' zero is "not set" (containers without any process there are none).
void leave_out_nothing(Limits& limits) {
  if (limits.pids && *limits.pids == 0) limits.pids.reset();
}

// Devices are limited by the privileged alone, as at create.
void complete_devices(Limits& limits) {
  if (limits.devices.empty()) return;
  if (sys::geteuid() != 0) return limits.devices.clear();
  limits.devices = with_default_devices(limits.devices);
}

Status tell_systemd(const State& state, const UpdateRequest& request) {
  if (state.manager != CgroupManager::kSystemd || state.unit.empty()) return Ok{};
  const auto manager = state.user_bus ? cgroup::Manager::kUser : cgroup::Manager::kSystem;
  return cgroup::update_systemd_unit(
      {.unit = state.unit, .manager = manager, .environment = request.environment}, request.limits);
}

// systemd hears only of what the kernel has taken, and then writes by itself: a quota, for one, in its own
// steps. So ours are written once more.
Status apply_everywhere(const GroupSet& groups, const State& state, const UpdateRequest& request) {
  TRY(cgroup::apply_limits(groups, request.limits));
  if (state.unit.empty()) return Ok{};
  TRY(tell_systemd(state, request));
  return cgroup::apply_limits(groups, request.limits);
}

Status update_groups(const StateDirectory& directory, State& state, UpdateRequest& request) {
  leave_out_nothing(request.limits);
  complete_devices(request.limits);
  TRY(join_further_groups(directory, state, cgroup::needed_controllers(request.limits)));
  const GroupSet groups = TRY(open_groups(state));
  complete_swap(groups, request.limits);
  if (state.manager == CgroupManager::kSystemd) complete_bandwidth(groups, request.limits);
  const auto snapshot = cgroup::LimitSnapshot::take(groups);
  auto done = apply_everywhere(groups, state, request);
  if (!done) snapshot.restore();
  return done;
}

Status update_intel_rdt(const StateDirectory& directory, const State& state, const UpdateRequest& request) {
  if (request.l3_cache_schema.empty() && request.mem_bw_schema.empty()) return Ok{};
  const LoadedConfig loaded = TRY(load_saved_config(directory.fd()));
  if (!loaded.config.intel_rdt)
    return Error::plain(ENOTSUP, "Intel RDT: the container was made without linux.intelRdt");
  cgroup::IntelRdt rdt = *loaded.config.intel_rdt;
  if (!request.l3_cache_schema.empty()) rdt.l3_cache_schema = request.l3_cache_schema;
  if (!request.mem_bw_schema.empty()) rdt.mem_bw_schema = request.mem_bw_schema;
  return cgroup::change_intel_rdt(rdt, state.id);
}

}  // namespace

Status update_container(const StateDirectory& directory, UpdateRequest request) {
  TRY(directory.lock(kLockTimeout));
  State state = TRY(directory.read());
  if (living_pid(state, TRY(current_status(directory, state))) == 0)
    return Error::plain(ESRCH, "container not running");
  TRY(update_intel_rdt(directory, state, request));
  return update_groups(directory, state, request);
}

}  // namespace nsbox
