#include "core/cgroup/systemd_client.h"

#include <cerrno>

#include "core/base/text.h"
#include "core/sys/syscalls.h"

namespace nsbox::cgroup {

namespace {

constexpr std::string_view kService = "org.freedesktop.systemd1";
constexpr std::string_view kObject = "/org/freedesktop/systemd1";
constexpr std::string_view kManager = "org.freedesktop.systemd1.Manager";
constexpr std::string_view kMode = "replace";
constexpr uint64_t kJobTimeoutNs = 30'000'000'000, kOpenTimeoutNs = 10'000'000'000;

void add_path(Vector<BusPlace>& places, String path, dbus::Peer peer) {
  places.push_back({{std::move(path), false}, peer});
}

// The end of one job: its path and systemd's word for how it went.
struct JobEnd {
  std::string_view path, unit, result;
};
bool read_job_end(const dbus::Message& message, JobEnd& out) {
  dbus::Reader body(message);
  const auto number = body.uint32();
  const auto path = body.string(), unit = body.string(), result = body.string();
  if (!number || !path || !unit || !result) return false;
  out = {*path, *unit, *result};
  return true;
}

}  // namespace

// systemd's own socket answers to root alone, and spares the way over the bus.
Vector<BusPlace> bus_places(Manager manager, const BusEnvironment& environment) {
  using dbus::Peer;
  Vector<BusPlace> places;
  if (manager == Manager::kSystem) {
    if (sys::geteuid() == 0) add_path(places, String("/run/systemd/private"), Peer::kProgram);
    add_path(places, String("/run/dbus/system_bus_socket"), Peer::kBus);
    return places;
  }
  if (!environment.session_address.empty())
    if (auto addresses = dbus::parse_addresses(environment.session_address))
      for (dbus::Address& each : *addresses) places.push_back({std::move(each), Peer::kBus});
  const String by_user = format("/run/user/", sys::geteuid());
  const std::string_view runtime = environment.runtime_directory;
  if (runtime.starts_with('/')) add_path(places, format(runtime, "/bus"), Peer::kBus);
  if (runtime.starts_with('/')) add_path(places, format(runtime, "/systemd/private"), Peer::kProgram);
  if (runtime != by_user.view()) add_path(places, format(by_user, "/bus"), Peer::kBus);
  return places;
}

Result<SystemdClient> SystemdClient::open(Manager manager, const BusEnvironment& environment) {
  String tried;
  int err = ENOENT;
  for (const BusPlace& each : bus_places(manager, environment)) {
    auto connection = dbus::Connection::open(each.address, each.peer, kOpenTimeoutNs);
    if (connection) return SystemdClient(std::move(connection).value());
    err = connection.err();
    append(tried, tried.empty() ? "" : "; ", connection.error().message());
  }
  return Error::plain(err, "systemd's ", manager == Manager::kUser ? "manager of this user" : "manager",
                      " cannot be reached: ", tried);
}

Result<dbus::Received> SystemdClient::call(std::string_view member, std::string_view signature,
                                           const dbus::Writer& body) {
  return connection_.call({kService, kObject, kManager, member, signature, body.view()}, kJobTimeoutNs);
}

// Before the job begins: its end may come before the answer that names it.
Status SystemdClient::watch_jobs() {
  if (watching_ || connection_.peer() == dbus::Peer::kProgram) return Ok{};
  TRY(connection_.subscribe(
      "type='signal',sender='org.freedesktop.systemd1',path='/org/freedesktop/systemd1',"
      "interface='org.freedesktop.systemd1.Manager',member='JobRemoved'"));
  (void)call("Subscribe", "", {});  // Newer ones tell whoever asked for the job in any case.
  watching_ = true;
  return Ok{};
}

Status SystemdClient::run_job(std::string_view member, std::string_view signature, const dbus::Writer& body) {
  TRY(watch_jobs());
  const uint64_t end_ns = sys::monotonic_ns() + kJobTimeoutNs;
  const dbus::Received answer = TRY(call(member, signature, body));
  const auto job = dbus::Reader(answer.message).string();
  if (!job) return Error::plain(EBADMSG, "systemd names no job");
  for (;;) {
    auto signal = connection_.wait_for_signal("JobRemoved", end_ns);
    if (signal.err() == ETIMEDOUT)
      return Error::plain(ETIMEDOUT, "systemd has not finished it in ", kJobTimeoutNs / 1'000'000'000,
                          " seconds");
    if (!signal) return signal.error();
    JobEnd end;
    if (!read_job_end(signal->message, end) || end.path != *job) continue;
    if (end.result == "done") return Ok{};
    return Error::plain(EIO, "systemd's job ended as \"", end.result, '"');
  }
}

Status SystemdClient::start_transient(std::string_view unit, const dbus::Properties& properties) {
  dbus::Writer body;
  body.string(unit).string(kMode);
  properties.write_to(body);
  const dbus::Writer::Array further_units = body.begin_array(8);
  body.end_array(further_units);
  return run_job("StartTransientUnit", "ssa(sv)a(sa(sv))", body);
}

Status SystemdClient::stop(std::string_view unit) {
  return run_job("StopUnit", "ss", dbus::Writer().string(unit).string(kMode));
}

Status SystemdClient::set_properties(std::string_view unit, const dbus::Properties& properties) {
  dbus::Writer body;
  body.string(unit).boolean(true);  // At run time: nothing of it is kept on disk.
  properties.write_to(body);
  TRY(call("SetUnitProperties", "sba(sv)", body));
  return Ok{};
}

Status SystemdClient::reset_failed(std::string_view unit) {
  TRY(call("ResetFailedUnit", "s", dbus::Writer().string(unit)));
  return Ok{};
}

Result<bool> SystemdClient::is_loaded(std::string_view unit) {
  auto answer = call("GetUnit", "s", dbus::Writer().string(unit));
  if (answer) return true;
  if (answer.err() == ENOENT) return false;
  return answer.error();
}

Result<unsigned> SystemdClient::version() {
  const String text = TRY(property(kObject, kManager, "Version"));
  const size_t start = text.view().find_first_of("0123456789");
  if (start == std::string_view::npos) return 0U;
  std::string_view digits = text.view().substr(start);
  digits = digits.substr(0, std::min<size_t>(digits.find_first_not_of("0123456789"), 6));
  return static_cast<unsigned>(parse_unsigned(digits).value_or(0));
}

Result<String> SystemdClient::control_group(std::string_view unit, std::string_view interface) {
  return property(unit_object_path(unit), interface, "ControlGroup");
}

Result<String> SystemdClient::property(std::string_view path, std::string_view interface,
                                       std::string_view name) {
  const dbus::Writer body = dbus::Writer().string(interface).string(name);
  const dbus::Call get = {kService, path, "org.freedesktop.DBus.Properties", "Get", "ss", body.view()};
  const dbus::Received answer = TRY(connection_.call(get, kJobTimeoutNs));
  auto variant = dbus::Reader(answer.message).variant();
  const auto text = variant ? variant->string() : std::nullopt;
  if (!text) return Error::plain(EBADMSG, "systemd's property ", name, " is no text");
  return String(*text);
}

}  // namespace nsbox::cgroup
