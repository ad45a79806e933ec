#include "core/container/pause.h"

#include <cerrno>

#include "core/container/groups.h"

namespace nsbox {
namespace {

constexpr uint64_t kLockTimeout = 10'000'000'000;

Status tell_missing_freezer(Status done, std::string_view verb) {
  if (done.err() != cgroup::kNoController) return done;
  return Error::plain(cgroup::kNoController, "cannot ", verb,
                      " the container: none of its cgroups can freeze processes (cgroup v2, or v1's "
                      "freezer, must be mounted and writable for this user)");
}

}  // namespace

Status pause_container(const StateDirectory& directory) {
  TRY(directory.lock(kLockTimeout));
  State state = TRY(directory.read());
  const ContainerStatus status = TRY(current_status(directory, state));
  if (status != ContainerStatus::kRunning && status != ContainerStatus::kCreated)
    return Error::plain(ESRCH, "container not running");
  auto joined = join_further_groups(directory, state, {cgroup::Controller::kFreezer});
  if (!joined) return tell_missing_freezer(std::move(joined), "pause");
  return tell_missing_freezer(cgroup::freeze(TRY(open_groups(state))), "pause");
}

Status resume_container(const StateDirectory& directory) {
  TRY(directory.lock(kLockTimeout));
  const State state = TRY(directory.read());
  if (TRY(current_status(directory, state)) != ContainerStatus::kPaused)
    return Error::plain(EINVAL, "container not paused");
  return tell_missing_freezer(cgroup::thaw(TRY(open_groups(state))), "resume");
}

}  // namespace nsbox
