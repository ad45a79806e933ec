#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "core/base/text.h"
#include "core/cgroup/base_v2.h"
#include "core/cgroup/cgroup.h"
#include "core/cgroup/cpuset.h"
#include "core/cgroup/files.h"
#include "core/cgroup/make.h"
#include "core/sys/syscalls.h"

namespace nsbox::cgroup {

namespace {

constexpr long kCgroupMagic = 0x27e0eb;
constexpr long kCgroup2Magic = 0x63677270;

enum class Start : uint8_t { kOwnGroup, kMountRoot };

// A directory by its path, if a cgroup hierarchy is there: another mount may lie over what mountinfo lists.
Result<UniqueFd> open_hierarchy(const HierarchyLayout& layout, std::string_view path) {
  const String place = format(layout.mount_point, path.empty() ? "" : "/", path);
  auto dir = sys::open(place.c_str(), O_PATH | O_DIRECTORY);
  if (!dir) return dir.error().while_doing("open ", place);
  sys::KernelStatfs what = {};
  TRY(sys::fstatfs(dir->get(), what));
  if (what.type != (layout.version == Version::kV1 ? kCgroupMagic : kCgroup2Magic))
    return Error::plain(ENOENT, "another mount hides the cgroup hierarchy at ", layout.mount_point);
  return dir;
}

Unavailable unavailable_v1(Controller controller, const HierarchyLayout& layout, const Error& error) {
  const Cause cause = error.err() == EROFS                            ? Cause::kReadOnly
                      : error.err() == EACCES || error.err() == EPERM ? Cause::kNotWritable
                                                                      : Cause::kNotMounted;
  return {controller, cause,
          format("cgroup v1 controller ", name_of(controller), ": ", error.message(), ", in the group ",
                 layout.own_group, " of ", layout.mount_point)};
}

void tell_missing(Controllers which, const HierarchyLayout& layout, const Error& error,
                  Vector<Unavailable>& out) {
  for_each(which, [&](Controller each) {
    if (layout.version == Version::kV1)
      out.push_back(unavailable_v1(each, layout, error));
    else
      out.push_back({each, Cause::kNotWritable, format("cgroup v2: ", error.message())});
  });
}

void tell_not_mounted(const Layout& layout, Controllers wanted, Vector<Unavailable>& out) {
  for_each(wanted, [&](Controller each) {
    if (layout.find(each)) return;
    out.push_back({each, Cause::kNotMounted,
                   each == Controller::kUnified
                       ? String("cgroup v2: it is not mounted")
                       : format("cgroup controller ", name_of(each), ": no mounted hierarchy has it")});
  });
}

Result<Hierarchy> find_base(const HierarchyLayout& layout, Start start, Controllers wanted,
                            Vector<Unavailable>& missing) {
  Hierarchy base = {layout.controllers, layout.version, {}};
  if (start == Start::kMountRoot) {
    base.dir = TRY(open_hierarchy(layout, ""));
    if (layout.version == Version::kV2)
      base.controllers = listed_in(base.dir.get(), "cgroup.controllers") | (layout.controllers & kAlwaysInV2);
    base.controllers = base.controllers & layout.controllers;
    return base;
  }
  if (layout.version == Version::kV2) {
    BaseV2 found = find_base_v2(layout, wanted, missing);
    base.dir = std::move(found.dir);
    base.controllers = found.controllers;
    return base;
  }
  if (!layout.shows_own) {
    for_each(wanted & layout.controllers, [&](Controller each) {
      missing.push_back({each, Cause::kNotVisible,
                         format("cgroup v1 controller ", name_of(each), ": ", layout.mount_point,
                                " does not show the group of this process, ", layout.own_group)});
    });
    return base;
  }
  base.dir = TRY(open_hierarchy(layout, layout.own_path));
  return base;
}

// The groups to make others in: one of each hierarchy that has a wanted controller.
GroupSet find_bases(const Layout& layout, Start start, Controllers wanted, Vector<Unavailable>& missing) {
  GroupSet bases;
  for (const HierarchyLayout& each : layout.hierarchies) {
    if (!each.controllers.has_any(wanted)) continue;
    auto base = find_base(each, start, wanted, missing);
    if (!base) tell_missing(each.controllers & wanted, each, base.error(), missing);
    if (base && base->dir && base->controllers.has_any(wanted))
      bases.hierarchies.push_back(std::move(base).value());
  }
  return bases;
}

// As find_bases, but nothing is changed: a relative path's v2 base is the one where the path goes on.
GroupSet find_existing_bases(const Layout& layout, Start start, std::string_view first_part) {
  GroupSet bases;
  Vector<Unavailable> unused;
  for (const HierarchyLayout& each : layout.hierarchies) {
    if (each.controllers.empty()) continue;
    Hierarchy base = {each.controllers, each.version, {}};
    if (each.version == Version::kV2 && start == Start::kOwnGroup) {
      base.dir = find_existing_base_v2(each, first_part);
      if (base.dir)
        base.controllers =
            (listed_in(base.dir.get(), "cgroup.subtree_control") | kAlwaysInV2) & each.controllers;
    } else if (auto found = find_base(each, start, each.controllers, unused)) {
      base = std::move(found).value();
    }
    if (base.dir) bases.hierarchies.push_back(std::move(base));
  }
  return bases;
}

const HierarchyLayout& layout_of(const Layout& layout, const Hierarchy& hierarchy) {
  for (const HierarchyLayout& each : layout.hierarchies)
    if (each.version == hierarchy.version && each.controllers.has_any(hierarchy.controllers)) return each;
  return layout.hierarchies.front();
}

// What a group passes on to those that will be made in it.
Status prepare_for_children(const Hierarchy& group, Controllers wanted) {
  const int dir = group.dir.get();
  if (group.version == Version::kV2) {
    auto done = pass_on(dir, (group.controllers & wanted) - kAlwaysInV2);
    if (!done) return done.error().while_doing("pass controllers on to the groups below");
    return done;
  }
  if (group.controllers.has(Controller::kCpuset)) TRY(pass_on_cpuset(dir));
  // Before Linux 5.11 a limit counted what is in the groups below only when told to.
  if (group.controllers.has(Controller::kMemory)) (void)write_value(dir, "memory.use_hierarchy", "1");
  return Ok{};
}

// Makes `name` in each base; a base where that is not allowed moves to `missing`.
Result<GroupSet> make_in_all(const Layout& layout, GroupSet& bases, const char* name, Controllers wanted,
                             Vector<Unavailable>& missing, Controllers& fresh) {
  GroupSet groups;
  Vector<Hierarchy> used;
  for (Hierarchy& base : bases.hierarchies) {
    Made made = Made::kThereBefore;
    auto group = make_in(base, name, made);
    if (!group) {
      tell_missing(base.controllers & wanted, layout_of(layout, base),
                   group.error().while_doing("make ", name), missing);
      continue;
    }
    if (made == Made::kNew) fresh = fresh | group->controllers;
    groups.hierarchies.push_back(std::move(group).value());
    used.push_back(std::move(base));
  }
  bases.hierarchies = std::move(used);
  return groups;
}

void remove_fresh(const Parent& parent, Controllers fresh) {
  for (const Hierarchy& base : parent.bases.hierarchies)
    if (fresh.has_any(base.controllers))
      (void)sys::unlinkat(base.dir.get(), parent.name.c_str(), AT_REMOVEDIR);
}

// A user who may not load the program has no devices controller; whether that is an error is the caller's to
// say.
Status restrict_devices(Hierarchy& group, std::span<const DeviceRule> rules, Vector<Unavailable>& missing) {
  auto done = apply_device_rules(group, rules);
  if (done.err() != EPERM || group.version == Version::kV1) return done;
  group.controllers = group.controllers - Controllers{Controller::kDevices};
  missing.push_back(
      {Controller::kDevices, Cause::kNotWritable,
       format("cgroup v2 devices: ", done.error().message(), "; it needs CAP_BPF and CAP_NET_ADMIN")});
  return Ok{};
}

Status set_up(Parent& parent, std::span<const DeviceRule> devices, Controllers wanted, Controllers fresh) {
  for (Hierarchy& each : parent.groups.hierarchies) {
    TRY(prepare_for_children(each, wanted));
    if (each.controllers.has(Controller::kDevices) && fresh.has(Controller::kDevices))
      TRY(restrict_devices(each, devices, parent.missing));
  }
  return Ok{};
}

bool is_clean(std::string_view part) { return !part.empty() && part != "." && part != ".."; }

Result<Vector<std::string_view>> parts_of(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  Vector<std::string_view> parts = split(path, '/');
  if (!std::all_of(parts.begin(), parts.end(), is_clean))
    return Error::invalid("linux.cgroupsPath may have no empty, \".\" or \"..\" part: ", path);
  return parts;
}

// What a v2 group can have, it must be given by the one above; without, its controllers are fewer.
void pass_on_for_path(Hierarchy& base, Controllers wanted, Vector<Unavailable>& missing) {
  if (base.version != Version::kV2) return;
  const Controllers real = (base.controllers & wanted) - kAlwaysInV2;
  auto done = pass_on(base.dir.get(), real);
  if (done) return;
  const Controllers kept = listed_in(base.dir.get(), "cgroup.subtree_control");
  for_each(real - kept, [&](Controller each) {
    missing.push_back({each, done.err() == EBUSY ? Cause::kHasProcesses : Cause::kNotDelegated,
                       format("cgroup v2 controller ", name_of(each, Version::kV2), ": ",
                              done.error().while_doing("pass it on along linux.cgroupsPath").message())});
  });
  base.controllers = (base.controllers & kept) | (base.controllers & kAlwaysInV2);
}

}  // namespace

Status Parent::require(Controllers needed) const {
  const Controllers lacking = needed - groups.controllers();
  if (lacking.empty()) return Ok{};
  String text;
  for (const Unavailable& each : missing)
    if (lacking.has(each.controller)) append(text, text.empty() ? "" : "; ", each.text);
  if (text.empty()) append(text, "the cgroup controllers ", names_of(lacking), " were not asked for");
  return Error::plain(kNoController, text);
}

Result<Parent> create_parent(const Layout& layout, const ParentRequest& request) {
  Controllers wanted = request.wanted;
  if (!request.devices.empty()) wanted.add(Controller::kDevices);
  Parent parent;
  parent.name = String(request.name);
  tell_not_mounted(layout, wanted, parent.missing);
  parent.bases = find_bases(layout, Start::kOwnGroup, wanted, parent.missing);
  if (request.before_making) TRY(request.before_making(request.context, parent.bases));
  parent.groups =
      TRY(make_in_all(layout, parent.bases, parent.name.c_str(), wanted, parent.missing, parent.fresh));
  auto done = set_up(parent, request.devices, wanted, parent.fresh);
  if (!done) {
    remove_fresh(parent, parent.fresh);
    return done.error().while_doing("set up the cgroup ", request.name);
  }
  return parent;
}

Result<Parent> create_at_path(const Layout& layout, std::string_view cgroups_path, Controllers wanted) {
  const auto parts = TRY(parts_of(cgroups_path));
  const Start start = cgroups_path.starts_with('/') ? Start::kMountRoot : Start::kOwnGroup;
  Parent parent;
  tell_not_mounted(layout, wanted, parent.missing);
  parent.groups = find_bases(layout, start, wanted, parent.missing);
  for (const std::string_view part : parts) {
    parent.bases = std::move(parent.groups);
    parent.name = String(part);
    for (Hierarchy& each : parent.bases.hierarchies) pass_on_for_path(each, wanted, parent.missing);
    parent.fresh = {};
    parent.groups =
        TRY(make_in_all(layout, parent.bases, parent.name.c_str(), wanted, parent.missing, parent.fresh));
  }
  return parent;
}

Result<Parent> open_at_path(const Layout& layout, std::string_view cgroups_path) {
  const auto parts = TRY(parts_of(cgroups_path));
  const Start start = cgroups_path.starts_with('/') ? Start::kMountRoot : Start::kOwnGroup;
  Parent parent;
  parent.groups = find_existing_bases(layout, start, parts.front());
  for (const std::string_view part : parts) {
    parent.bases = std::move(parent.groups);
    parent.name = String(part);
    parent.groups = TRY(open_group(parent.bases, parent.name.c_str()));
  }
  return parent;
}

}  // namespace nsbox::cgroup
