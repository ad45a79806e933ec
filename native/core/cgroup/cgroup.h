#pragma once

#include <sys/types.h>

#include <cerrno>
#include <span>
#include <string_view>

#include "core/base/error.h"
#include "core/base/vector.h"
#include "core/cgroup/controllers.h"
#include "core/cgroup/devices.h"
#include "core/cgroup/layout.h"
#include "core/cgroup/limits.h"
#include "core/sys/unique_fd.h"

// Groups of processes over cgroup v1, v2 and both at once (hybrid). A group here is the same name in several
// hierarchies: a GroupSet holds one directory descriptor for each, and everything works through these, so
// that it goes on working after a mount namespace has hidden the paths.
//
// An owner makes one parent; each box is a child of it:
//   Layout layout = TRY(read_layout());
//   Parent parent = TRY(create_parent(layout, {.name = "nsbox-4711", .wanted = ..., .devices = ...}));
//   GroupSet box = TRY(create_group(parent.groups, id, needed_controllers(limits) | further));
//   TRY(apply_limits(box, limits));
//   TRY(attach_self(box));
//   TRY(remove(parent.groups, id));
namespace nsbox::cgroup {

// The errno of every error that says that a controller is not there or not ours to use, so that a face can
// add the remedy. No failing cgroup file is reported with it.
inline constexpr int kNoController = EOPNOTSUPP;

struct Hierarchy {
  Controllers controllers;
  Version version = Version::kV1;
  UniqueFd dir;  // O_PATH.
};

struct GroupSet {
  Vector<Hierarchy> hierarchies;

  Controllers controllers() const;
  // The hierarchy that has the controller; null when none has.
  const Hierarchy* find(Controller controller) const;
  // The v2 directory, for CLONE_INTO_CGROUP; -1 when the set has none.
  int unified() const;
};

// Why a controller cannot be had.
enum class Cause : uint8_t {
  kNotMounted,    // No mounted hierarchy has it: not in this kernel, disabled at boot, or not mounted.
  kReadOnly,      // Its hierarchy is mounted read-only, as in most containers.
  kNotWritable,   // This user may not make groups there.
  kNotDelegated,  // v2: no group that we may change passes it on to children.
  kNotVisible,  // Its mount does not show the group of this process, and making groups elsewhere would escape
                // from it.
  kHasProcesses,  // v2: the group that could pass it on has processes of its own, which forbids it.
};

struct Unavailable {
  Controller controller;
  Cause cause;
  String text;  // What was found, with the remedy.
};

struct ParentRequest {
  std::string_view name;  // One component: "nsbox-4711".
  // Made where they are to be had; `missing` tells of the rest.
  Controllers wanted = {};
  // What all boxes may use of devices, set before any box exists; empty: no restriction. See
  // default_device_rules().
  std::span<const DeviceRule> devices = {};
  // Told of the groups in which the parent will be, before anything is made there: for who must remove it
  // even when this process is killed in between.
  Status (*before_making)(void* context, const GroupSet& bases) = nullptr;
  void* context = nullptr;
};

struct Parent {
  GroupSet bases;  // The groups that the parent is in: remove(bases, name) is its end.
  String name;
  GroupSet groups;    // The parent itself: create_group(groups, id, …).
  Controllers fresh;  // Of those groups that were not there before.
  Vector<Unavailable> missing;

  // Ok when the parent has all of them; otherwise an error (kNoController) with the text of what is missing.
  Status require(Controllers needed) const;
};

// v1: below the process's own group in each hierarchy. v2: below the nearest group from our own upwards that
// passes the wanted controllers on to its children, or lets us tell it to; no process is ever moved for it. A
// parent that exists is used as it is.
Result<Parent> create_parent(const Layout& layout, const ParentRequest& request);

// The groups for OCI's cgroupsPath, made where absent: an absolute path starts at the root of each mount, a
// relative one at the process's own group (v2: at the group that create_parent would take). `bases` is where
// the last component is, `groups` the group itself.
Result<Parent> create_at_path(const Layout& layout, std::string_view cgroups_path, Controllers wanted);
// The same without making anything: hierarchies where the path does not exist are left out.
Result<Parent> open_at_path(const Layout& layout, std::string_view cgroups_path);

enum class IfExists : uint8_t { kFail, kUse };

// Makes the group `name` in those hierarchies of the parents that have a wanted controller. A failure leaves
// nothing behind. EEXIST when it is there already, unless that is to be used.
Result<GroupSet> create_group(const GroupSet& parents, const char* name, Controllers wanted,
                              IfExists if_exists = IfExists::kFail);
// Opens a group that exists, in each hierarchy where it does.
Result<GroupSet> open_group(const GroupSet& parents, const char* name);

// In v2 a process may be born in its group.
enum class Skip : uint8_t { kNothing, kUnified };

// Moves the calling process, which must have one thread only: moving the calling thread alone spares the
// kernel's global lock and with it up to 5 ms.
Status attach_self(const GroupSet& set, Skip skip = Skip::kNothing);
// Moves a process with all its threads.
Status attach(const GroupSet& set, pid_t pid, Skip skip = Skip::kNothing);
// Moves all processes of one group to another, of other hierarchies, until none is left out.
Status move_all(const GroupSet& from, const GroupSet& to);
// Makes the group in further hierarchies and moves all its processes there. Adds them to `set`.
Status join(GroupSet& set, const GroupSet& parents, const char* name, Controllers further);

// The processes in the group and in those below it.
Result<Vector<pid_t>> procs(const GroupSet& set);
Result<bool> populated(const GroupSet& set);

inline constexpr uint64_t kFreezeTimeoutNs = 10'000'000'000;
inline constexpr uint64_t kRemoveTimeoutNs = 10'000'000'000;

// Stops all processes and returns when they stand. Needs kUnified or kFreezer (see join). A group that does
// not freeze in time is thawed again: ETIMEDOUT.
Status freeze(const GroupSet& set, uint64_t timeout_ns = kFreezeTimeoutNs);
Status thaw(const GroupSet& set, uint64_t timeout_ns = kFreezeTimeoutNs);
Result<bool> is_frozen(const GroupSet& set);

// A signal to every process that is in the group at one moment.
Status signal_all(const GroupSet& set, int signal);
// SIGKILL to all, also those that are forked meanwhile, also in a frozen group (it is thawed). Returns when
// the signals are sent; remove() waits for the end.
Status kill_all(const GroupSet& set);

// Kills what is left in the group, removes the groups below it and itself. Absent is fine. ETIMEDOUT when a
// process does not go.
Status remove(const GroupSet& parents, const char* name, uint64_t timeout_ns = kRemoveTimeoutNs);
// The names of the groups directly below, in any hierarchy, each once.
Result<Vector<String>> children(const GroupSet& set);

}  // namespace nsbox::cgroup
