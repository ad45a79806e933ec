#include "core/cgroup/systemd_groups.h"

#include <fcntl.h>

#include <cerrno>

#include "core/cgroup/base_v2.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox::cgroup {

namespace {

// The layout as the process sees it: its own group in each hierarchy, from the mount points that we see.
Result<Layout> layout_of(pid_t pid) {
  constexpr size_t kMaxMountinfo = size_t{16} << 20;
  const String groups = TRY(read_file_at(AT_FDCWD, format("/proc/", pid, "/cgroup").c_str()));
  const String mounts = TRY(read_file_at(AT_FDCWD, "/proc/self/mountinfo", kMaxMountinfo));
  return parse_layout(mounts, groups);
}

// Where systemd keeps its units: a v1 hierarchy of its own where there is one, else v2.
const HierarchyLayout* of_systemd(const Layout& layout) {
  for (const HierarchyLayout& each : layout.hierarchies)
    if (each.version == Version::kV1 && each.name.view() == "systemd") return &each;
  return layout.find(Controller::kUnified);
}

Result<String> path_of(const Layout& of_process, const SystemdGroup& group) {
  const HierarchyLayout* found = of_systemd(of_process);
  if (!found) return Error::plain(ENOENT, "no hierarchy of systemd's is mounted");
  if (!found->shows_own)
    return Error::plain(ENOENT, found->mount_point, " does not show the group ", found->own_group);
  // Anything else would be somebody else's.
  if (!found->own_path.view().ends_with(group.unit))
    return Error::plain(ENOENT, "the process is in ", found->own_group);
  return format('/', found->own_path);
}

bool is_in(const Layout& of_process, const Hierarchy& hierarchy, std::string_view path) {
  for (const HierarchyLayout& each : of_process.hierarchies)
    if (each.version == hierarchy.version && each.controllers.has_any(hierarchy.controllers))
      return each.shows_own && format('/', each.own_path).view() == path;
  return false;
}

// v1: moving a process takes milliseconds, so not where it is already.
Status enter_all(const GroupSet& groups, const Layout& of_process, std::string_view path, pid_t pid) {
  GroupSet rest;
  for (const Hierarchy& each : groups.hierarchies) {
    if (is_in(of_process, each, path)) continue;
    const int copy = TRY(sys::fcntl(each.dir.get(), F_DUPFD_CLOEXEC, 3));
    rest.hierarchies.push_back({each.controllers, each.version, UniqueFd(copy)});
  }
  return attach(rest, pid);
}

std::string_view annotation(std::span<const NamedValue> all, std::string_view name) {
  std::string_view value;
  for (const NamedValue& each : all)
    if (each.name == name) value = each.value;
  return value;
}

// v2: only a group without processes can pass controllers on, so the process goes first. What the group has
// not got, the one below it does not get either.
Status pass_controllers_on(const Hierarchy& from, Hierarchy& below, Controllers wanted) {
  if (from.version == Version::kV1) return Ok{};
  const Controllers had = listed_in(from.dir.get(), "cgroup.controllers") & from.controllers & wanted;
  below.controllers = had | (from.controllers & kAlwaysInV2);
  return pass_on(from.dir.get(), had - kAlwaysInV2);
}

Result<GroupSet> go_down(const GroupSet& from, std::string_view name, pid_t pid, Controllers wanted) {
  GroupSet below = TRY(create_group(from, String(name).c_str(), Controllers::all(), IfExists::kUse));
  TRY(attach(below, pid));
  for (size_t i = 0; i < from.hierarchies.size(); i++) {
    auto done = pass_controllers_on(from.hierarchies[i], below.hierarchies[i], wanted);
    if (!done) return done.error().while_doing("pass controllers on to the group ", name);
  }
  return below;
}

}  // namespace

Status join_unit_groups(SystemdGroup& group, const Layout& layout, const UnitPlace& place) {
  const Layout of_process = TRY(layout_of(place.pid));
  group.path = place.slice_path.empty() ? TRY(path_of(of_process, group)) : String(place.slice_path);
  group.parent = TRY(create_at_path(layout, group.path, place.wanted));
  return enter_all(group.parent.groups, of_process, group.path, place.pid);
}

Status enter_subgroup(SystemdGroup& group, std::span<const NamedValue> annotations, pid_t pid,
                      Controllers wanted) {
  const std::string_view name = annotation(annotations, "run.oci.systemd.subgroup");
  const std::string_view delegated = annotation(annotations, "run.oci.delegate-cgroup");
  group.delegated = String(delegated);
  if (name.empty()) return Ok{};
  GroupSet below = TRY(go_down(group.parent.groups, name, pid, wanted));
  group.parent.bases = std::move(group.parent.groups);
  group.parent.name = String(name);
  group.parent.groups = std::move(below);
  append(group.path, '/', name);
  return Ok{};
}

Status enter_delegated(const SystemdGroup& group, pid_t pid) {
  if (group.delegated.empty()) return Ok{};
  const GroupSet& groups = group.parent.groups;
  if (groups.hierarchies.size() != 1 || groups.hierarchies[0].version != Version::kV2)
    return Error::invalid("annotation run.oci.delegate-cgroup: delegation is safe with cgroup v2 alone");
  TRY(go_down(groups, group.delegated, pid, groups.controllers()));
  return Ok{};
}

}  // namespace nsbox::cgroup
