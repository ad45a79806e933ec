#include <fcntl.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "core/base/text.h"
#include "core/cgroup/cgroup.h"
#include "core/cgroup/files.h"
#include "core/cgroup/procs.h"
#include "core/sys/syscalls.h"

namespace nsbox::cgroup {

namespace {

constexpr size_t kBatch = 512;
// A tree that cannot fork is done after two rounds.
constexpr int kMaxRounds = 1000;

struct Target {
  pid_t pid;
  UniqueFd pidfd;
};

// Between reading a number and signalling it, the process may end and the number go to a stranger. So each
// process is held by a pidfd first; if its number still stands in the group after that, the pidfd is of that
// process.
Status signal_batch(int dir, std::span<const pid_t> pids, int signal, Vector<pid_t>& signalled) {
  Vector<Target> held;
  held.reserve(pids.size());
  for (const pid_t pid : pids) {
    auto fd = sys::pidfd_open(pid, 0);
    if (!fd && (fd.err() == EMFILE || fd.err() == ENFILE) && !held.empty())
      break;  // The rest has its turn later.
    if (fd.err() == ESRCH || fd.err() == EINVAL) continue;
    if (!fd) return fd.error().while_doing("hold process ", pid);
    held.push_back({pid, std::move(fd).value()});
  }
  Vector<pid_t> still;
  TRY(add_procs(dir, still));
  std::sort(still.begin(), still.end());
  for (const Target& target : held) {
    if (!std::binary_search(still.begin(), still.end(), target.pid)) continue;
    auto sent = sys::pidfd_send_signal(target.pidfd.get(), signal);
    if (!sent && sent.err() != ESRCH) return sent.error().while_doing("signal process ", target.pid);
    signalled.push_back(target.pid);
  }
  return Ok{};
}

// One round; true when it found a process that had no signal yet.
Result<bool> signal_listed(int dir, int signal, Vector<pid_t>& signalled) {
  Vector<pid_t> pids;
  TRY(add_procs(dir, pids));
  std::sort(signalled.begin(), signalled.end());
  std::erase_if(pids, [&](pid_t pid) { return std::binary_search(signalled.begin(), signalled.end(), pid); });
  for (size_t at = 0; at < pids.size(); at += kBatch)
    TRY(signal_batch(dir, std::span(pids).subspan(at, std::min(kBatch, pids.size() - at)), signal,
                     signalled));
  return !pids.empty();
}

Status kill_listed(int dir) {
  Vector<pid_t> signalled;
  for (int round = 0; round < kMaxRounds; round++)
    if (!TRY(signal_listed(dir, SIGKILL, signalled))) return Ok{};
  return Ok{};  // remove() tries again.
}

// Keeps a group from forking while it is killed one by one: a fork bomb is otherwise faster than we are.
class ForkStop {
 public:
  explicit ForkStop(const GroupSet& set) : set_(set) {
    if (const Hierarchy* pids = set_.find(Controller::kPids)) {
      if (auto limit = read_value(pids->dir.get(), "pids.max")) limit_ = std::move(limit).value();
      (void)write_value(pids->dir.get(), "pids.max", "0");
    } else if (set_.unified() >= 0) {
      (void)write_value(set_.unified(), "cgroup.freeze", "1");
    } else if (const Hierarchy* freezer = set_.find(Controller::kFreezer)) {
      (void)write_value(freezer->dir.get(), "freezer.state", "FROZEN");
    }
  }
  ForkStop(const ForkStop&) = delete;
  ForkStop& operator=(const ForkStop&) = delete;
  ~ForkStop() {
    const Hierarchy* pids = set_.find(Controller::kPids);
    if (pids && !limit_.empty()) (void)write_value(pids->dir.get(), "pids.max", trim(limit_));
  }

 private:
  const GroupSet& set_;
  String limit_;
};

// In v1 a frozen process does not die of SIGKILL before it is thawed. Groups below may be frozen on their
// own.
void thaw_all(const GroupSet& set) {
  for (const Hierarchy& each : set.hierarchies) {
    if (!each.controllers.has_any({Controller::kFreezer, Controller::kUnified})) continue;
    (void)walk(each.dir.get(), [&](int dir) -> Status {
      (void)(each.version == Version::kV1 ? write_value(dir, "freezer.state", "THAWED")
                                          : write_value(dir, "cgroup.freeze", "0"));
      return Ok{};
    });
  }
}

enum class Unified : uint8_t { kKilled, kNotYet };

// Linux 5.14 ends the whole tree at once, forks included.
Unified kill_unified(const GroupSet& set) {
  const int dir = set.unified();
  return dir >= 0 && write_value(dir, "cgroup.kill", "1") ? Unified::kKilled : Unified::kNotYet;
}

bool only_unified(const GroupSet& set) { return set.hierarchies.size() == 1 && set.unified() >= 0; }

// A failure in one hierarchy does not spare the others.
Status kill_one_by_one(const GroupSet& set, Unified unified) {
  if (unified == Unified::kKilled && only_unified(set)) return Ok{};
  const ForkStop stop(set);
  std::optional<Error> failure;
  for (const Hierarchy& each : set.hierarchies) {
    if (each.version == Version::kV2 && unified == Unified::kKilled) continue;
    auto killed = kill_listed(each.dir.get());
    if (!killed) failure.emplace(killed.error());
  }
  if (failure) return *failure;
  return Ok{};
}

}  // namespace

Status signal_all(const GroupSet& set, int signal) {
  if (set.hierarchies.empty()) return Ok{};
  const int dir = set.unified() >= 0 ? set.unified() : set.hierarchies.front().dir.get();
  Vector<pid_t> signalled;
  TRY(signal_listed(dir, signal, signalled));
  return Ok{};
}

Status kill_all(const GroupSet& set) {
  auto done = kill_one_by_one(set, kill_unified(set));
  thaw_all(set);
  return done;
}

}  // namespace nsbox::cgroup
