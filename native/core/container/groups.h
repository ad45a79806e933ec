#pragma once

#include "core/cgroup/systemd.h"
#include "core/container/state.h"
#include "core/spec/config.h"

// The cgroups of a container under one of the three managers: our own (cgroupfs), systemd, or none.
namespace nsbox {

struct GroupRequest {
  CgroupManager manager = CgroupManager::kCgroupfs;
  std::string_view id;
  const Config* config = nullptr;
  pid_t init = 0;           // systemd takes it over itself; with cgroupfs it enters on its own.
  bool everywhere = false;  // In each hierarchy of v1, whatever the configuration speaks of.
  cgroup::Manager bus = cgroup::Manager::kSystem;
  cgroup::BusEnvironment environment = {};  // Where the user's bus is.
};

// Each hierarchy of v1 costs a start some of its time: what the configuration does not speak of, nobody has
// prepared and no statistics tell of is left for join_further_groups().
struct GroupPlan {
  cgroup::Limits limits;
  Vector<GroupPath> groups;
  Vector<GroupPath> further;  // As in State.
};

struct ContainerGroups {
  cgroup::GroupSet set;
  Vector<GroupPath> paths;
  String unit;
  bool user_bus = false;
  // Files that the process writes "0" to, to be in the groups; opened by us, so that it needs no right of its
  // own.
  Vector<UniqueFd> entrances;
};

// Where the groups are by the configuration, in all hierarchies.
Vector<GroupPath> asked_groups(const cgroup::Layout& layout, const GroupRequest& request);
Result<GroupPlan> plan_groups(const cgroup::Layout& layout, const GroupRequest& request);
// Those of the plan that are not there yet: for the record, before they are made. The others are somebody
// else's, until they are found to be empty.
Vector<GroupPath> groups_to_be_made(const GroupPlan& plan);

// Makes them and sets the limits. An existing group must be empty. What this user may not have is left out,
// unless a limit needs it: then it is an error with its remedy.
Result<ContainerGroups> make_groups(const cgroup::Layout& layout, const GroupRequest& request,
                                    GroupPlan& plan);

// Makes the container's groups in further hierarchies, as far as they were left out, and moves all of its
// processes there; the state says so before. The caller has the directory's lock.
Status join_further_groups(const StateDirectory& directory, State& state, cgroup::Controllers needed);

// The files of the groups for another process to enter by.
Result<Vector<UniqueFd>> open_entrances(const cgroup::GroupSet& set, cgroup::Skip skip);

// Nothing but these devices, and those that every container may use.
Vector<cgroup::DeviceRule> with_default_devices(const Vector<cgroup::DeviceRule>& asked);
// The limits of the configuration, with the devices that every container may use.
Result<cgroup::Limits> container_limits(const Config& config);

// run.oci.delegate-cgroup: in v2, moves the process one group further down, to be the container's own.
Status enter_delegated_group(const State& state, std::string_view name, pid_t pid);

// Kills whatever is inside and removes them; absent is fine.
Status remove_groups(const State& state, const cgroup::BusEnvironment& environment = {});
Status remove_group_paths(const Vector<GroupPath>& paths);

}  // namespace nsbox
