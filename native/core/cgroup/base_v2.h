#pragma once

#include "core/base/error.h"
#include "core/base/vector.h"
#include "core/cgroup/cgroup.h"

namespace nsbox::cgroup {

// The controllers that every v2 group has without being told: by BPF, or a part of the core.
inline constexpr Controllers kAlwaysInV2 = {Controller::kCpuacct, Controller::kDevices, Controller::kFreezer,
                                            Controller::kPerfEvent, Controller::kUnified};

// A v2 group in which the owner's parent can be made.
struct BaseV2 {
  UniqueFd dir;             // Not open: no group that we may write to.
  Controllers controllers;  // What its children have.
};

// Looks from our own group upwards; tells in `missing` what of `wanted` could not be had, and why.
BaseV2 find_base_v2(const HierarchyLayout& layout, Controllers wanted, Vector<Unavailable>& missing);

// The nearest group from our own upwards that has a group of that name; not open when none has.
UniqueFd find_existing_base_v2(const HierarchyLayout& layout, std::string_view name);

// Lets the children of a group have controllers. Nothing is written when they have them all.
Status pass_on(int dir, Controllers controllers);
// The controllers listed in cgroup.controllers or cgroup.subtree_control; none when it cannot be read.
Controllers listed_in(int dir, const char* file);

}  // namespace nsbox::cgroup
