#include "core/container/kill.h"

#include <linux/sched.h>
#include <poll.h>
#include <signal.h>

#include <cerrno>

#include "core/base/text.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr int kMostSignals = 64;
constexpr uint64_t kEndTimeout = 10'000'000'000;

struct NamedSignal {
  std::string_view name;
  int number;
};
constexpr NamedSignal kSignals[] = {
    {"HUP", 1},   {"INT", 2},   {"QUIT", 3},  {"ILL", 4},     {"TRAP", 5},    {"ABRT", 6},
    {"IOT", 6},   {"BUS", 7},   {"FPE", 8},   {"KILL", 9},    {"USR1", 10},   {"SEGV", 11},
    {"USR2", 12}, {"PIPE", 13}, {"ALRM", 14}, {"TERM", 15},   {"STKFLT", 16}, {"CHLD", 17},
    {"CLD", 17},  {"CONT", 18}, {"STOP", 19}, {"TSTP", 20},   {"TTIN", 21},   {"TTOU", 22},
    {"URG", 23},  {"XCPU", 24}, {"XFSZ", 25}, {"VTALRM", 26}, {"PROF", 27},   {"WINCH", 28},
    {"IO", 29},   {"POLL", 29}, {"PWR", 30},  {"SYS", 31},    {"RTMIN", 34},  {"RTMAX", 64},
};

bool equal_ignoring_case(std::string_view text, std::string_view upper) {
  if (text.size() != upper.size()) return false;
  for (size_t i = 0; i < text.size(); i++) {
    const char c = text[i] >= 'a' && text[i] <= 'z' ? static_cast<char>(text[i] - 32) : text[i];
    if (c != upper[i]) return false;
  }
  return true;
}

// The process itself, not another one that has got its number.
Result<UniqueFd> open_init(const State& state) {
  auto pidfd = sys::pidfd_open(state.init.pid, 0);
  if (!pidfd || !is_alive(state.init)) return Error::plain(ESRCH, "container not running");
  return pidfd;
}

bool has_own_processes(const State& state) { return state.namespaces & CLONE_NEWPID; }

}  // namespace

std::optional<int> parse_signal(std::string_view text) {
  if (const auto number = parse_unsigned(text)) {
    // 0 only asks whether it could be sent.
    if (*number > kMostSignals) return {};
    return static_cast<int>(*number);
  }
  if (text.size() > 3 && equal_ignoring_case(text.substr(0, 3), "SIG")) text.remove_prefix(3);
  for (const NamedSignal& one : kSignals)
    if (equal_ignoring_case(text, one.name)) return one.number;
  const size_t sign = text.find_first_of("+-");
  if (sign == std::string_view::npos) return {};
  const auto offset = parse_unsigned(text.substr(sign + 1));
  if (!offset || *offset > 30) return {};
  if (equal_ignoring_case(text.substr(0, sign), "RTMIN") && text[sign] == '+')
    return 34 + static_cast<int>(*offset);
  if (equal_ignoring_case(text.substr(0, sign), "RTMAX") && text[sign] == '-')
    return 64 - static_cast<int>(*offset);
  return {};
}

Status kill_container(const StateDirectory& directory, const State& state, int signal, KillScope scope) {
  const ContainerStatus status = TRY(current_status(directory, state));
  const bool living = living_pid(state, status) > 0;
  if (scope == KillScope::kAll) {
    const cgroup::GroupSet groups = TRY(open_groups(state));
    if (!groups.hierarchies.empty()) {
      if (signal == SIGKILL) return cgroup::kill_all(groups);
      return cgroup::signal_all(groups, signal);
    }
  }
  if (!living) return Error::plain(ESRCH, "container not running");
  const UniqueFd init = TRY(open_init(state));
  auto done = sys::pidfd_send_signal(init.get(), signal);
  if (done.err() == ESRCH) return Error::plain(ESRCH, "container not running");
  TRY(std::move(done));
  // A frozen process dies when it is thawed only (v1).
  if (signal == SIGKILL && status == ContainerStatus::kPaused) (void)cgroup::thaw(TRY(open_groups(state)));
  return Ok{};
}

Status end_container(const State& state) {
  auto init = open_init(state);
  // A process namespace of its own has ended with its init, and with it whoever was in the groups.
  if (!init && has_own_processes(state)) return Ok{};
  const cgroup::GroupSet groups = TRY(open_groups(state));
  if (init) (void)sys::pidfd_send_signal(init->get(), SIGKILL);
  // With processes of its own the kernel ends them with their init; a frozen group has to be thawed for it.
  auto frozen = cgroup::is_frozen(groups);
  if (!has_own_processes(state) || (frozen && *frozen)) (void)cgroup::kill_all(groups);
  if (!init) return Ok{};
  sys::Pollfd ended = {init->get(), POLLIN, 0};
  const uint64_t end = sys::monotonic_ns() + kEndTimeout;
  while (sys::monotonic_ns() < end) {
    auto ready = sys::poll(&ended, 1, 1000);
    if (ready && *ready > 0) return Ok{};
  }
  return Error::plain(ETIMEDOUT, "the container's init (process ", state.init.pid, ") does not end");
}

}  // namespace nsbox
