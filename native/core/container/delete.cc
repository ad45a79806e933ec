#include "core/container/delete.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include <cerrno>

#include "core/container/bundle_config.h"
#include "core/container/groups.h"
#include "core/container/kill.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr uint64_t kLockTimeout = 10'000'000'000;

void run_poststop(const StateDirectory& directory, const State& state, const HookOutput& output,
                  Vector<String>& warnings) {
  if (!state.has_poststop) return;
  auto loaded = load_saved_config(directory.fd());
  if (!loaded) {
    warnings.push_back(format("the poststop hooks were not run: ", loaded.error().message()));
    return;
  }
  const String text = public_state(state, ContainerStatus::kStopped, StateFields::kStandard);
  // Each is tried, whatever became of the one before.
  const Vector<Hook>& hooks = loaded->config.hooks.poststop;
  for (size_t i = 0; i < hooks.size(); i++)
    if (auto done = run_one_hook("poststop", hooks, i, text, output); !done)
      warnings.push_back(done.error().message());
}

// Right after a kill, its process may still be on its way out.
bool ends_soon(const State& state) {
  constexpr int kPatienceMs = 100;
  auto init = sys::pidfd_open(state.init.pid, 0);
  if (!init) return true;
  sys::Pollfd ended = {init->get(), POLLIN, 0};
  auto ready = sys::poll(&ended, 1, kPatienceMs);
  return (ready && *ready > 0) || !is_alive(state.init);
}

Status refuse_living(const StateDirectory& directory, const State& state, DeleteMode mode) {
  if (mode == DeleteMode::kForce) return Ok{};
  ContainerStatus status = TRY(current_status(directory, state));
  if (status == ContainerStatus::kRunning && ends_soon(state)) status = ContainerStatus::kStopped;
  if (status == ContainerStatus::kStopped || status == ContainerStatus::kCreated) return Ok{};
  return Error::plain(EBUSY, "cannot delete container ", state.id, " that is not stopped: ", name_of(status));
}

// The creator would go on making what is removed here.
void end_creator(const State& state) {
  if (state.made) return;
  auto creator = sys::pidfd_open(state.creator.pid, 0);
  if (creator && is_alive(state.creator)) (void)sys::pidfd_send_signal(creator->get(), SIGKILL);
}

// The configuration is saved when the groups have been made, so they are this container's and no other's.
Status delete_damaged(const StateDirectory& directory) {
  if (auto loaded = load_saved_config(directory.fd())) {
    const auto layout =
        cgroup::parse_layout(TRY(read_file_at(AT_FDCWD, "/proc/self/mountinfo", size_t{64} << 20)),
                             TRY(read_file_at(AT_FDCWD, "/proc/self/cgroup")));
    TRY(remove_group_paths(asked_groups(layout, {.id = directory.id(), .config = &loaded->config})));
  }
  if (const auto init = directory.remembered_init()) {
    State lost;
    lost.init = *init;
    TRY(end_container(lost));
  }
  return directory.remove();
}

}  // namespace

Status delete_container(const StateDirectory& directory, const DeleteRequest& request,
                        Vector<String>& warnings) {
  const DeleteMode mode = request.mode;
  auto locked = directory.lock(kLockTimeout);
  if (!locked && mode == DeleteMode::kStoppedOnly) return locked;
  auto state = directory.read();
  if (!state && mode == DeleteMode::kStoppedOnly) return state.error();
  if (!state) state = directory.read_copy();
  if (!state) return delete_damaged(directory);
  TRY(refuse_living(directory, *state, mode));
  end_creator(*state);
  TRY(end_container(*state));
  if (state->intel_rdt)
    if (auto loaded = load_saved_config(directory.fd()); loaded && loaded->config.intel_rdt)
      (void)cgroup::remove_intel_rdt(*loaded->config.intel_rdt, state->id);
  TRY(remove_groups(*state, request.environment));
  run_poststop(directory, *state, request.hook_output, warnings);
  return directory.remove();
}

}  // namespace nsbox
