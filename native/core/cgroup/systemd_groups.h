#pragma once

#include "core/cgroup/systemd.h"

// Where systemd has put the unit, and what we add to it.
namespace nsbox::cgroup {

struct UnitPlace {
  std::string_view slice_path;  // Of a slice, into which no process was put; empty: where the process is.
  pid_t pid = 0;
  Controllers wanted = {};
};

// Opens the unit's group in all hierarchies, makes it in those where systemd has not, and has the process in
// each of them.
Status join_unit_groups(SystemdGroup& group, const Layout& layout, const UnitPlace& place);

// The group below the unit's that run.oci.systemd.subgroup asks for.
Status enter_subgroup(SystemdGroup& group, std::span<const NamedValue> annotations, pid_t pid,
                      Controllers wanted);

}  // namespace nsbox::cgroup
