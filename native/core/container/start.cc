#include "core/container/start.h"

#include <poll.h>

#include <cerrno>
#include <cstring>

#include "core/container/bundle_config.h"
#include "core/container/create_protocol.h"
#include "core/process/channel.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr uint64_t kLockTimeout = 10'000'000'000;

Error not_created(ContainerStatus status) {
  switch (status) {
    case ContainerStatus::kStopped:
      return Error::plain(EINVAL, "cannot start a container that has stopped");
    case ContainerStatus::kCreating:
      return Error::plain(EINVAL, "cannot start a container that is being created");
    case ContainerStatus::kPaused:
      return Error::plain(EINVAL, "cannot start a container in the paused state");
    default:
      return Error::plain(EINVAL, "cannot start an already running container");
  }
}

// Its words until the exec, which closes the connection: one, if it failed.
Status wait_for_exec(int connection) {
  char buffer[8192];
  for (;;) {
    sys::Pollfd waiting = {connection, POLLIN, 0};
    (void)sys::poll(&waiting, 1, -1);
    auto got = receive_message(connection, buffer);
    if (got.err() == EAGAIN) continue;
    if (!got) return got.error();
    if (got->size == 0) return Ok{};
    CreateMessage message;
    if (got->size < sizeof message) return Error::invalid("start: a message cut short");
    memcpy(&message, buffer, sizeof message);
    return Error::plain(message.err, "unable to start container process: ",
                        std::string_view(buffer + sizeof message, got->size - sizeof message));
  }
}

}  // namespace

Status start_container(const StateDirectory& directory, const HookOutput& output) {
  TRY(directory.lock(kLockTimeout));
  const State state = TRY(directory.read());
  const ContainerStatus status = TRY(current_status(directory, state));
  if (status != ContainerStatus::kCreated) return not_created(status);
  UniqueFd connection = TRY(connect_to_start(directory));
  TRY(sys::write(connection.get(), "1", 1));
  TRY(wait_for_exec(connection.get()));
  return run_poststart(directory, state, output);
}

Status run_poststart(const StateDirectory& directory, const State& state, const HookOutput& output) {
  if (!state.has_poststart) return Ok{};
  const LoadedConfig loaded = TRY(load_saved_config(directory.fd()));
  const String text = public_state(state, ContainerStatus::kRunning, StateFields::kStandard);
  return run_hooks("poststart", loaded.config.hooks.poststart, text, output);
}

}  // namespace nsbox
