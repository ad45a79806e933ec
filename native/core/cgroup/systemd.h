#pragma once

#include <sys/types.h>

#include <span>
#include <string_view>

#include "core/cgroup/cgroup.h"
#include "core/cgroup/systemd_client.h"

// The systemd cgroup driver: systemd makes the container's group, as a transient scope or slice, and knows of
// its limits; we work in it as in any other. With cgroup v2 it delegates the group, so what we make and write
// there is left alone; with v1 it makes the group only in those hierarchies that it uses, and we in the
// others.
namespace nsbox::cgroup {

struct NamedValue {
  std::string_view name, value;
};

// What every container gets, be there limits or not: systemd's own, and those that are no controllers.
inline constexpr Controllers kSystemdControllers = {
    Controller::kCpu,     Controller::kCpuacct, Controller::kCpuset, Controller::kMemory, Controller::kPids,
    Controller::kDevices, Controller::kFreezer, Controller::kBlkio,  Controller::kUnified};

struct SystemdRequest {
  std::string_view cgroups_path;  // "slice:prefix:name"
  std::string_view container_id;
  pid_t pid = 0;  // The container's first process; it is moved into the group.
  const Limits* limits = nullptr;
  // The configuration's: org.systemd.property.*, run.oci.systemd.subgroup, run.oci.delegate-cgroup. All
  // others are passed over.
  std::span<const NamedValue> annotations = {};
  Manager manager = Manager::kSystem;
  BusEnvironment environment = {};
  Controllers wanted = kSystemdControllers;  // Beside those that the limits need.
};

struct SystemdGroup {
  String unit;  // "nsbox-web.scope"
  String path;  // For open_at_path(): "/system.slice/nsbox-web.scope", with the subgroup if there is one.
  // `groups` is where the process is and where limits are to be applied (apply_limits() sets those too that
  // systemd has no word for); remove(parent.bases, parent.name), after stop_systemd_unit(), clears what is
  // left of it in hierarchies that systemd does not use.
  Parent parent;
  String delegated;  // run.oci.delegate-cgroup; see enter_delegated(). Empty: none.
};

// EEXIST when there is such a unit already; a failed one is cleared away first. After a failure the caller
// ends the process, and with it ends the scope, should it be there.
Result<SystemdGroup> start_systemd_unit(const SystemdRequest& request);

// cgroup v2: moves the process one group further down, into one that has no limits of its own and that the
// container may do with as it likes. Wants to be called after the process has its cgroup namespace.
Status enter_delegated(const SystemdGroup& group, pid_t pid);

struct SystemdUnit {
  std::string_view unit;
  Manager manager = Manager::kSystem;
  BusEnvironment environment = {};
};

// Tells systemd of new limits; apply_limits() comes after it.
Status update_systemd_unit(const SystemdUnit& unit, const Limits& limits);
// Ends the unit and waits until systemd has forgotten it; gone already is fine. Its processes should be dead:
// systemd would ask them kindly, and wait.
Status stop_systemd_unit(const SystemdUnit& unit);

}  // namespace nsbox::cgroup
