#include "core/container/groups.h"

#include <fcntl.h>
#include <linux/sched.h>

#include <algorithm>
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
  std::string_view asked = request.config->cgroups_path;
  while (asked.size() > 1 && asked.ends_with('/')) asked.remove_suffix(1);
  while (asked.starts_with("//")) asked.remove_prefix(1);
  return asked.empty() ? String(request.id) : String(asked);
}

// What the statistics of every container tell of: engines read them by the process's own groups, and where it
// has none they would read the host's.
constexpr Controllers kCounted = {Controller::kMemory, Controller::kCpuacct, Controller::kPids};

struct Section {
  std::string_view name;
  Controllers controllers;
};
constexpr Section kSections[] = {
    {"memory", {Controller::kMemory}},
    {"cpu", {Controller::kCpu, Controller::kCpuacct}},
    {"pids", {Controller::kPids}},
    {"blockIO", {Controller::kBlkio}},
    {"hugepageLimits", {Controller::kHugetlb}},
    {"network", {Controller::kNetCls, Controller::kNetPrio}},
    {"rdma", {Controller::kRdma}},
};

// Of whatever linux.resources speaks, though it may set nothing: engines read there what they show.
Controllers spoken_of(const Config& config) {
  Controllers out;
  if (!config.resources) return out;
  for (const Section& each : kSections)
    if (const json::Value* section = config.resources->find(each.name);
        section && !section->is(json::Kind::kNull))
      out = out | each.controllers;
  return out;
}

bool exists(std::string_view path) {
  return static_cast<bool>(sys::faccessat2(AT_FDCWD, String(path).c_str(), 0, 0));
}

// Somebody has made the group or the one above it, and what he has set there shall hold.
bool is_prepared(std::string_view path, bool has_parent) {
  return exists(path) || (has_parent && exists(path.substr(0, path.rfind('/'))));
}

bool has_parent(std::string_view cgroups_path) {
  while (cgroups_path.starts_with('/')) cgroups_path.remove_prefix(1);
  return cgroups_path.find('/') != std::string_view::npos;
}

// The v2 hierarchy beside v1's is entered only for what these have not got, since its first writer waits for
// a grace period.
void share_out(GroupPlan& plan, const GroupRequest& request, Vector<GroupPath> asked) {
  const bool has_v1 = std::any_of(asked.begin(), asked.end(),
                                  [](const GroupPath& one) { return one.version == Version::kV1; });
  const Controllers needed = cgroup::needed_controllers(plan.limits);
  const Controllers in_v1 = needed | kCounted | spoken_of(*request.config);
  const bool is_deep = has_parent(path_of(request));
  for (GroupPath& one : asked) {
    const bool beside_v1 = has_v1 && one.version == Version::kV2;
    const bool wanted = !has_v1 || one.controllers.has_any(beside_v1 ? needed : in_v1);
    const bool made = wanted || (!beside_v1 && (request.everywhere || is_prepared(one.path, is_deep)));
    (made ? plan.groups : plan.further).push_back(std::move(one));
  }
}

// Of v2 beside v1 only what is needed.
Controllers wanted_controllers(const GroupPlan& plan) {
  Controllers out = cgroup::needed_controllers(plan.limits);
  const bool has_v1 = std::any_of(plan.groups.begin(), plan.groups.end(),
                                  [](const GroupPath& one) { return one.version == Version::kV1; });
  for (const GroupPath& one : plan.groups)
    if (!has_v1 || one.version == Version::kV1) out = out | one.controllers;
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

Status refuse_used(const cgroup::Parent& parent, std::string_view path) {
  const cgroup::GroupSet& set = parent.groups;
  if ((set.controllers() - parent.fresh).empty()) return Ok{};
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

Result<GroupPlan> plan_groups(const cgroup::Layout& layout, const GroupRequest& request) {
  GroupPlan plan;
  plan.limits = TRY(container_limits(*request.config));
  share_out(plan, request, asked_groups(layout, request));
  return plan;
}

Vector<GroupPath> groups_to_be_made(const GroupPlan& plan) {
  Vector<GroupPath> out = plan.groups;
  std::erase_if(out, [](const GroupPath& one) { return exists(one.path); });
  return out;
}

Vector<cgroup::DeviceRule> with_default_devices(const Vector<cgroup::DeviceRule>& asked) {
  Vector<cgroup::DeviceRule> rules;
  rules.push_back({.allow = false});
  for (const cgroup::DeviceRule& one : asked) rules.push_back(one);
  for (const cgroup::DeviceRule& one : cgroup::default_device_rules())
    if (one.allow) rules.push_back(one);
  return rules;
}

Result<cgroup::Limits> container_limits(const Config& config) {
  cgroup::Limits limits;
  if (config.resources) limits = TRY(parse_resources(*config.resources));
  limits.devices = with_default_devices(limits.devices);
  return limits;
}

namespace {

// v1's are where they were planned; of v2 it is found out while they are made.
Result<String> path_of_group(const GroupPlan& plan, const cgroup::Hierarchy& made) {
  for (const GroupPath& one : plan.groups)
    if (one.version == Version::kV1 && made.version == Version::kV1 &&
        one.controllers.has_any(made.controllers))
      return one.path;
  return path_of_descriptor(made.dir.get());
}

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
                                const GroupPlan& plan) {
  const String path = path_of(request);
  for (const char c : path.view())
    if (static_cast<unsigned char>(c) < ' ')
      return Error::invalid("linux.cgroupsPath: a control character is no part of a group's name");
  MadeParent out{TRY(cgroup::create_at_path(layout, path, wanted_controllers(plan))), {}};
  TRY(refuse_nothing(out.parent, path));
  TRY(refuse_used(out.parent, path));
  return out;
}

}  // namespace

Result<ContainerGroups> make_groups(const cgroup::Layout& layout, const GroupRequest& request,
                                    GroupPlan& plan) {
  ContainerGroups out;
  if (request.manager == CgroupManager::kDisabled) return out;
  const bool by_systemd = request.manager == CgroupManager::kSystemd;
  MadeParent made =
      TRY(by_systemd ? make_by_systemd(request, plan.limits) : make_by_path(layout, request, plan));
  out.unit = std::move(made.unit);
  out.user_bus = request.bus == cgroup::Manager::kUser;
  const cgroup::GroupSet& groups = made.parent.groups;
  for (const cgroup::Hierarchy& each : groups.hierarchies)
    out.paths.push_back({TRY(path_of_group(plan, each)), each.controllers, each.version});
  auto done = set_limits(made.parent, groups, plan.limits);
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

namespace {

// Makes one group by the path at which it was planned.
Result<cgroup::GroupSet> make_at(const cgroup::Layout& layout, const GroupPath& one) {
  for (const cgroup::HierarchyLayout& each : layout.hierarchies) {
    const std::string_view mount_point = each.mount_point;
    if (!each.controllers.has_any(one.controllers) || !one.path.view().starts_with(mount_point)) continue;
    const std::string_view path = one.path.view().substr(mount_point.size());
    cgroup::Parent made = TRY(cgroup::create_at_path(layout, path, one.controllers));
    TRY(made.require(one.controllers));
    return std::move(made.groups);
  }
  return Error::plain(cgroup::kNoController, "the cgroup ", one.path, ": its hierarchy is not mounted here");
}

bool is_listed(const Vector<GroupPath>& groups, const GroupPath& one) {
  return std::any_of(groups.begin(), groups.end(),
                     [&](const GroupPath& each) { return each.path.view() == one.path.view(); });
}

}  // namespace

Status join_further_groups(const StateDirectory& directory, State& state, Controllers needed) {
  cgroup::GroupSet groups = TRY(open_groups(state));
  const Controllers lacking = needed - groups.controllers();
  Vector<GroupPath> joined;
  for (const GroupPath& one : state.further_groups)
    if (one.version == Version::kV1 && one.controllers.has_any(lacking)) joined.push_back(one);
  if (joined.empty()) return Ok{};
  for (const GroupPath& one : joined)
    if (!is_listed(state.groups, one)) state.groups.push_back(one);
  TRY(directory.write(state));
  TRY(directory.write_copy(state));
  const cgroup::Layout layout = TRY(cgroup::read_layout());
  for (const GroupPath& one : joined) TRY(cgroup::move_all(groups, TRY(make_at(layout, one))));
  return Ok{};
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
