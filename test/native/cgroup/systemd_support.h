#pragma once

#include <sys/types.h>

#include <initializer_list>
#include <string>

#include "core/cgroup/systemd.h"
#include "support.h"

// Real units of the systemd that runs this machine, for root, or of the user's own manager.
namespace nsbox::test {

// Whether there is one; the reason is printed where there is none.
bool has_systemd();

cgroup::Manager own_manager();
cgroup::BusEnvironment own_environment();

// A process that sleeps, in the group of this test; killed and reaped at the end of its scope.
class Sleeper {
 public:
  Sleeper();
  Sleeper(const Sleeper&) = delete;
  ~Sleeper();
  pid_t pid() const { return pid_; }
  // Its v2 group, as /proc has it.
  std::string group() const;
  void end();

 private:
  pid_t pid_ = -1;
};

// What a program writes, without the last newline; "systemctl" gets --user where that is our manager.
std::string output_of(const std::string& command);
std::string property_of(const std::string& unit, const std::string& name);
// Failed is not inactive.
bool is_active(const std::string& unit);

// Stops the unit at the end of its scope, whatever the test did.
class UnitGuard {
 public:
  explicit UnitGuard(std::string unit) : unit_(std::move(unit)) {}
  UnitGuard(const UnitGuard&) = delete;
  ~UnitGuard();

 private:
  std::string unit_;
};

// A name that no other test has: "nsboxtest-4711-1".
std::string fresh_name();

}  // namespace nsbox::test
