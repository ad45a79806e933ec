#include "core/cgroup/systemd.h"

#include <cerrno>

#include "core/cgroup/files.h"
#include "core/cgroup/gvariant.h"
#include "core/cgroup/systemd_groups.h"
#include "core/cgroup/systemd_properties.h"

namespace nsbox::cgroup {

namespace {

constexpr std::string_view kPropertyPrefix = "org.systemd.property.";
constexpr uint64_t kForgetTimeoutNs = 5'000'000'000;

String description_of(std::string_view container_id) {
  String text("nsbox container ");
  for (const char c : container_id.substr(0, 128)) text.append(c > ' ' && c <= '~' ? c : '?');
  return text;
}

// Who has the controllers: where systemd has none to give, nothing depends on it.
Version version_of(const Layout& layout) {
  const HierarchyLayout* memory = layout.find(Controller::kMemory);
  return memory ? memory->version : Version::kV2;
}

Result<PropertyDialect> dialect_for(SystemdClient& client, const Layout& layout, const Limits& limits) {
  PropertyDialect dialect = {version_of(layout), 0};
  if (depends_on_version(limits)) dialect.systemd = TRY(client.version());
  return dialect;
}

void add_place(dbus::Properties& out, const UnitName& name, pid_t pid) {
  // A slice is placed by its name alone.
  if (name.is_slice) return out.texts("Wants", name.slice);
  out.text("Slice", name.slice);
  out.boolean("Delegate", true);
  out.numbers("PIDs", static_cast<uint32_t>(pid));
}

Status add_annotations(dbus::Properties& out, std::span<const NamedValue> annotations) {
  for (const NamedValue& each : annotations)
    if (each.name.starts_with(kPropertyPrefix))
      TRY(add_annotated_property(out, each.name.substr(kPropertyPrefix.size()), each.value));
  return Ok{};
}

// Later ones win, so the caller's own words come last.
Result<dbus::Properties> properties_for(SystemdClient& client, const SystemdRequest& request,
                                        const UnitName& name, const Layout& layout) {
  dbus::Properties out;
  out.text("Description", description_of(request.container_id));
  out.boolean("DefaultDependencies", false);
  add_place(out, name, request.pid);
  add_accounting(out, version_of(layout));
  if (request.limits)
    TRY(add_limits(out, *request.limits, TRY(dialect_for(client, layout, *request.limits))));
  TRY(add_annotations(out, request.annotations));
  return out;
}

// What failed once stays known, under its name, until it is told to be forgotten.
Status start(SystemdClient& client, const UnitName& name, const dbus::Properties& properties) {
  auto done = client.start_transient(name.unit, properties);
  if (done.err() == EEXIST && name.is_slice) return Ok{};
  if (done.err() == EEXIST && client.reset_failed(name.unit))
    done = client.start_transient(name.unit, properties);
  if (!done) return done.error().while_doing("start the systemd unit ", name.unit);
  return done;
}

Result<SystemdGroup> find_group(SystemdClient& client, const SystemdRequest& request, const UnitName& name,
                                const Layout& layout) {
  String slice_path;
  if (name.is_slice) slice_path = TRY(client.control_group(name.unit, "org.freedesktop.systemd1.Slice"));
  Controllers wanted = request.wanted;
  if (request.limits) wanted = wanted | needed_controllers(*request.limits);
  SystemdGroup group;
  group.unit = name.unit;
  TRY(join_unit_groups(group, layout, {slice_path, request.pid, wanted}));
  TRY(enter_subgroup(group, request.annotations, request.pid, wanted));
  return group;
}

Status stop(SystemdClient& client, std::string_view unit) {
  auto done = client.stop(unit);
  if (done.err() == ENOENT) return Ok{};
  (void)client.reset_failed(unit);  // Most are gone by now, or have not failed.
  Deadline deadline(kForgetTimeoutNs);
  while (TRY(client.is_loaded(unit))) {
    if (deadline.passed()) return done ? Error::plain(ETIMEDOUT, "systemd does not let it go") : done.error();
    deadline.pause();
  }
  return Ok{};
}

}  // namespace

Result<SystemdGroup> start_systemd_unit(const SystemdRequest& request) {
  const UnitName name = TRY(parse_unit_name(request.cgroups_path, request.container_id, request.manager));
  const Layout layout = TRY(read_layout());
  SystemdClient client = TRY(SystemdClient::open(request.manager, request.environment));
  const dbus::Properties properties = TRY(properties_for(client, request, name, layout));
  TRY(start(client, name, properties));
  auto group = find_group(client, request, name, layout);
  if (group) return group;
  return group.error().while_doing("use the group of the systemd unit ", name.unit);
}

Status update_systemd_unit(const SystemdUnit& unit, const Limits& limits) {
  const Layout layout = TRY(read_layout());
  SystemdClient client = TRY(SystemdClient::open(unit.manager, unit.environment));
  dbus::Properties properties;
  TRY(add_limits(properties, limits, TRY(dialect_for(client, layout, limits))));
  if (properties.empty()) return Ok{};
  auto done = client.set_properties(unit.unit, properties);
  if (!done) return done.error().while_doing("tell the systemd unit ", unit.unit, " of its limits");
  return done;
}

Status stop_systemd_unit(const SystemdUnit& unit) {
  SystemdClient client = TRY(SystemdClient::open(unit.manager, unit.environment));
  auto done = stop(client, unit.unit);
  if (!done) return done.error().while_doing("stop the systemd unit ", unit.unit);
  return done;
}

}  // namespace nsbox::cgroup
