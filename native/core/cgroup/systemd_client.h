#pragma once

#include <cstdint>
#include <string_view>

#include "core/cgroup/dbus_connection.h"
#include "core/cgroup/unit_name.h"

namespace nsbox::cgroup {

// What tells where the user's bus is; of the caller's environment, empty where it is not set.
struct BusEnvironment {
  std::string_view session_address;    // DBUS_SESSION_BUS_ADDRESS
  std::string_view runtime_directory;  // XDG_RUNTIME_DIR
};

struct BusPlace {
  dbus::Address address;
  dbus::Peer peer;
};

// Where the manager may be reached, best first.
Vector<BusPlace> bus_places(Manager manager, const BusEnvironment& environment);

// One of systemd's managers, and what we ask of it. A job that is not finished in time is ETIMEDOUT.
class SystemdClient {
 public:
  static Result<SystemdClient> open(Manager manager, const BusEnvironment& environment);

  // Both wait for the job's end. Any other than "done" is an error with systemd's word for it.
  Status start_transient(std::string_view unit, const dbus::Properties& properties);
  Status stop(std::string_view unit);
  // Until they are told otherwise or the unit ends.
  Status set_properties(std::string_view unit, const dbus::Properties& properties);
  Status reset_failed(std::string_view unit);
  Result<bool> is_loaded(std::string_view unit);
  // 252 of "252.30-1~deb12u2"; 0 when it cannot be understood.
  Result<unsigned> version();
  // The unit's path in the hierarchies: "/system.slice/x.scope".
  Result<String> control_group(std::string_view unit, std::string_view interface);

 private:
  explicit SystemdClient(dbus::Connection connection) : connection_(std::move(connection)) {}

  Result<dbus::Received> call(std::string_view member, std::string_view signature, const dbus::Writer& body);
  Result<String> property(std::string_view path, std::string_view interface, std::string_view name);
  Status watch_jobs();
  Status run_job(std::string_view member, std::string_view signature, const dbus::Writer& body);

  dbus::Connection connection_;
  bool watching_ = false;
};

}  // namespace nsbox::cgroup
