#include "core/container/groups.h"

#include <fcntl.h>
#include <linux/sched.h>

#include <cerrno>

#include "core/cgroup/files.h"
#include "core/container/status.h"
#include "core/spec/resources.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

using cgroup::Controller;
using cgroup::Controllers;
using cgroup::Version;

// Without a path, the container gets a group of its own beside whatever started it.
String path_of(const GroupRequest& request) {
  const std::string_view asked = request.config->cgroups_path;
  return asked.empty() ? String(request.id) : String(asked);
}

// What has a hierarchy of its own in v1 is always had: statistics are read there. The v2 hierarchy beside it
// is entered only for what v1 has not got, since its first writer waits for a grace period.
Controllers wanted_controllers(const cgroup::Layout& layout, const cgroup::Limits& limits) {
  Controllers out = cgroup::needed_controllers(limits);
  bool has_v1 = false;
  for (const cgroup::HierarchyLayout& each : layout.hierarchies)
    if (each.version == Version::kV1 && !each.controllers.empty()) {
      out = out | each.controllers;
      has_v1 = true;
    }
  if (has_v1) return out;
  for (const cgroup::HierarchyLayout& each : layout.hierarchies) out = out | each.controllers;
  return out;
}

Result<String> path_of_descriptor(int fd) {
  char path[4096];
  const size_t size = TRY(sys::readlinkat(AT_FDCWD, format("/proc/self/fd/", fd).c_str(), path, sizeof path));
  return String(std::string_view(path, size));
}

// Over the host, and not over a user namespace alone, as an engine of an ordinary user is.
bool privileged() {
  if (sys::geteuid() != 0) return false;
  auto map = read_file_at(AT_FDCWD, "/proc/self/uid_map");
  return !map || map->view().find("4294967295") != std::string_view::npos;
}

// Limits on devices need a privilege over the host that an ordinary user has not got; whoever may not make
// device nodes that work loses nothing by it (as every runtime has it).
void leave_out_devices(cgroup::Limits& limits, const cgroup::GroupSet& set) {
  if (!set.find(Controller::kDevices)) limits.devices.clear();
}

Status refuse_used(const cgroup::GroupSet& set, std::string_view path) {
  const Vector<pid_t> inside = TRY(cgroup::procs(set));
  if (!inside.empty())
    return Error::plain(EBUSY, "container's cgroup is not empty: ", inside.size(), " process(es) found in ",
                        path);
  auto frozen = cgroup::is_frozen(set);
  if (frozen && *frozen) return Error::plain(EBUSY, "container's cgroup unexpectedly frozen: ", path);
  return Ok{};
}

Status refuse_nothing(const cgroup::Parent& parent, std::string_view path) {
  if (!parent.groups.hierarchies.empty() || !privileged()) return Ok{};
  String text;
  for (const cgroup::Unavailable& each : parent.missing)
    if (each.cause != cgroup::Cause::kNotMounted) append(text, text.empty() ? "" : "; ", each.text);
  if (text.empty()) return Ok{};
  return Error::plain(EROFS, "make the cgroup ", path, ": ", text,
                      " (--cgroup-manager disabled goes without)");
}

Status set_limits(const cgroup::Parent& parent, const cgroup::GroupSet& set, cgroup::Limits& limits) {
  leave_out_devices(limits, set);
  TRY(parent.require(cgroup::needed_controllers(limits)));
  auto done = cgroup::apply_limits(set, limits);
  const bool only_devices = done.err() == EPERM && !limits.devices.empty() && !privileged();
  if (!only_devices) return done;
  limits.devices.clear();
  return cgroup::apply_limits(set, limits);
}

}  // namespace

Vector<GroupPath> asked_groups(const cgroup::Layout& layout, const GroupRequest& request) {
  Vector<GroupPath> out;
  if (request.manager != CgroupManager::kCgroupfs) return out;
  const String path = path_of(request);
  for (const cgroup::HierarchyLayout& each : layout.hierarchies) {
    if (each.controllers.empty()) continue;
    String full(each.mount_point);
    if (path.view().starts_with('/'))
      append(full, path);
    else
      append(full, each.own_path.empty() ? "" : "/", each.own_path, "/", path);
    out.push_back({std::move(full), each.controllers, each.version});
  }
  return out;
}

Vector<GroupPath> expected_groups(const cgroup::Layout& layout, const GroupRequest& request) {
  Vector<GroupPath> out = asked_groups(layout, request);
  // One that is there already is somebody's, until it is found to be empty.
  std::erase_if(out, [](const GroupPath& one) {
    return static_cast<bool>(sys::faccessat2(AT_FDCWD, one.path.c_str(), 0, 0));
  });
  return out;
}

Result<cgroup::Limits> container_limits(const Config& config) {
  cgroup::Limits limits;
  if (config.resources) limits = TRY(parse_resources(*config.resources));
  Vector<cgroup::DeviceRule> rules;
  rules.push_back({.allow = false});
  for (const cgroup::DeviceRule& one : limits.devices) rules.push_back(one);
  for (const cgroup::DeviceRule& one : cgroup::default_device_rules())
    if (one.allow) rules.push_back(one);
  limits.devices = std::move(rules);
  return limits;
}

namespace {

struct MadeParent {
  cgroup::Parent parent;
  String unit;
};

Result<MadeParent> make_by_systemd(const GroupRequest& request, const cgroup::Limits& limits) {
  Vector<cgroup::NamedValue> annotations;
  for (const Annotation& one : request.config->annotations) annotations.push_back({one.name, one.value});
  cgroup::SystemdGroup made = TRY(cgroup::start_systemd_unit({.cgroups_path = request.config->cgroups_path,
                                                              .container_id = request.id,
                                                              .pid = request.init,
                                                              .limits = &limits,
                                                              .annotations = annotations,
                                                              .manager = request.bus,
                                                              .environment = request.environment}));
  return MadeParent{std::move(made.parent), std::move(made.unit)};
}

Result<MadeParent> make_by_path(const cgroup::Layout& layout, const GroupRequest& request,
                                const cgroup::Limits& limits) {
  const String path = path_of(request);
  for (const char c : path.view())
    if (static_cast<unsigned char>(c) < ' ')
      return Error::invalid("linux.cgroupsPath: a control character is no part of a group's name");
  MadeParent out{TRY(cgroup::create_at_path(layout, path, wanted_controllers(layout, limits))), {}};
  TRY(refuse_nothing(out.parent, path));
  TRY(refuse_used(out.parent.groups, path));
  return out;
}

}  // namespace

Result<ContainerGroups> make_groups(const cgroup::Layout& layout, const GroupRequest& request) {
  ContainerGroups out;
  cgroup::Limits limits = TRY(container_limits(*request.config));
  if (request.manager == CgroupManager::kDisabled) return out;
  const bool by_systemd = request.manager == CgroupManager::kSystemd;
  MadeParent made =
      TRY(by_systemd ? make_by_systemd(request, limits) : make_by_path(layout, request, limits));
  out.unit = std::move(made.unit);
  out.user_bus = request.bus == cgroup::Manager::kUser;
  const cgroup::GroupSet& groups = made.parent.groups;
  for (const cgroup::Hierarchy& each : groups.hierarchies)
    out.paths.push_back({TRY(path_of_descriptor(each.dir.get())), each.controllers, each.version});
  auto done = set_limits(made.parent, groups, limits);
  if (done) {
    // systemd has moved it already, in the hierarchy that is its own.
    auto entrances = open_entrances(groups, by_systemd ? cgroup::Skip::kUnified : cgroup::Skip::kNothing);
    if (entrances) out.entrances = std::move(*entrances);
    done = entrances ? Status(Ok{}) : Status(entrances.error());
  }
  if (!done) {
    (void)remove_group_paths(out.paths);
    // A slice would stay without any process, and a scope for a moment.
    if (!out.unit.empty())
      (void)cgroup::stop_systemd_unit(
          {.unit = out.unit, .manager = request.bus, .environment = request.environment});
    return done.error();
  }
  out.set = std::move(made.parent.groups);
  return out;
}

Result<Vector<UniqueFd>> open_entrances(const cgroup::GroupSet& set, cgroup::Skip skip) {
  Vector<UniqueFd> out;
  for (const cgroup::Hierarchy& each : set.hierarchies) {
    if (each.version == Version::kV2 && skip == cgroup::Skip::kUnified) continue;
    const char* file = each.version == Version::kV2 ? "cgroup.procs" : "tasks";
    auto entrance = sys::openat(each.dir.get(), file, O_WRONLY);
    if (!entrance) return entrance.error().while_doing("open ", file, " of a cgroup");
    out.push_back(std::move(*entrance));
  }
  return out;
}

Status enter_delegated_group(const State& state, std::string_view name, pid_t pid) {
  if (name.find('/') != std::string_view::npos || name == "." || name == "..")
    return Error::invalid("annotation run.oci.delegate-cgroup: expected one name, got ", name);
  const cgroup::GroupSet groups = TRY(open_groups(state));
  const int unified = groups.unified();
  if (unified < 0) return Ok{};
  const String inner(name);
  auto done = sys::mkdirat(unified, inner.c_str(), 0755);
  if (!done && done.err() != EEXIST) return done.error().while_doing("make the delegated cgroup ", name);
  return write_file_at(unified, format(name, "/cgroup.procs").c_str(), format(pid));
}

Status remove_group_paths(const Vector<GroupPath>& paths) {
  for (const GroupPath& one : paths) {
    const std::string_view path = one.path;
    const size_t slash = path.rfind('/');
    if (slash == 0 || slash == std::string_view::npos) continue;
    auto base = sys::open(String(path.substr(0, slash)).c_str(), O_PATH | O_DIRECTORY);
    if (!base) continue;
    cgroup::GroupSet bases;
    bases.hierarchies.push_back({one.controllers, one.version, std::move(*base)});
    auto done = cgroup::remove(bases, String(path.substr(slash + 1)).c_str());
    if (!done) return done.error().while_doing("remove the cgroup ", path);
  }
  return Ok{};
}

Status remove_groups(const State& state, const cgroup::BusEnvironment& environment) {
  if (state.manager == CgroupManager::kSystemd && !state.unit.empty()) {
    const auto manager = state.user_bus ? cgroup::Manager::kUser : cgroup::Manager::kSystem;
    TRY(cgroup::stop_systemd_unit({.unit = state.unit, .manager = manager, .environment = environment}));
  }
  return remove_group_paths(state.groups);
}

}  // namespace nsbox
