#include "systemd_support.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace nsbox::test {

namespace {

std::string_view environment(const char* name) {
  const char* value = getenv(name);
  return value ? value : "";
}

std::string systemctl() { return geteuid() == 0 ? "systemctl " : "systemctl --user "; }

}  // namespace

bool has_systemd() {
  // What sd_booted(3) looks for.
  if (access("/run/systemd/system", F_OK) == 0) return true;
  if (in_machine())
    skip("systemd does not run here");
  else
    skip_on_this_machine("systemd does not run here");
  return false;
}

cgroup::Manager own_manager() { return geteuid() == 0 ? cgroup::Manager::kSystem : cgroup::Manager::kUser; }

cgroup::BusEnvironment own_environment() {
  return {environment("DBUS_SESSION_BUS_ADDRESS"), environment("XDG_RUNTIME_DIR")};
}

Sleeper::Sleeper() {
  pid_ = fork();
  if (pid_ != 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (;;) pause();
}

Sleeper::~Sleeper() { end(); }

void Sleeper::end() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::string Sleeper::group() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/cgroup");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("0::")) return line.substr(3);
  return "(none)";
}

std::string output_of(const std::string& command) {
  FILE* program = popen(command.c_str(), "re");
  if (!program) return "(cannot run " + command + ")";
  std::string all;
  char buffer[1024];
  for (size_t got; (got = fread(buffer, 1, sizeof buffer, program)) > 0;) all.append(buffer, got);
  pclose(program);
  while (!all.empty() && all.back() == '\n') all.pop_back();
  return all;
}

std::string property_of(const std::string& unit, const std::string& name) {
  return output_of(systemctl() + "show --value --property=" + name + " '" + unit + "'");
}

bool is_active(const std::string& unit) { return property_of(unit, "ActiveState") != "inactive"; }

UnitGuard::~UnitGuard() {
  if (is_active(unit_)) (void)output_of(systemctl() + "kill --signal=KILL '" + unit_ + "' 2>&1");
  if (is_active(unit_)) (void)output_of(systemctl() + "stop '" + unit_ + "' 2>&1");
}

std::string fresh_name() {
  static int number = 0;
  return "nsboxtest-" + std::to_string(getpid()) + "-" + std::to_string(++number);
}

}  // namespace nsbox::test
