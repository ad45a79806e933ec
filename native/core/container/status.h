#pragma once

#include "core/container/state.h"

namespace nsbox {

// runtime-spec runtime.md, "State", and runc's "paused".
enum class ContainerStatus : uint8_t { kCreating, kCreated, kRunning, kPaused, kStopped };

// "created"
std::string_view name_of(ContainerStatus status);

// The process's own start; nothing when there is no such process, or only what is left of it (a zombie).
std::optional<uint64_t> process_start(pid_t pid);
// With the start that it has now.
Result<ProcessId> identify_process(pid_t pid);
bool is_alive(const ProcessId& process);

// What the container does right now, seen from its process, its groups and its socket.
Result<ContainerStatus> current_status(const StateDirectory& directory, const State& state);

// The pid of a living init, 0 of any other.
pid_t living_pid(const State& state, ContainerStatus status);

// What `state` prints, and hooks get on their standard input: runtime.md, "State". Runc's further fields come
// with `verbose`.
enum class StateFields : uint8_t { kStandard, kVerbose };
String public_state(const State& state, ContainerStatus status, StateFields fields,
                    std::string_view status_name = {}, std::string_view owner = {});

// The groups of a container, opened; those that are gone are left out.
Result<cgroup::GroupSet> open_groups(const State& state);

// The socket on which a created container waits to be started.
inline constexpr const char* kStartSocket = "start";
Result<UniqueFd> connect_to_start(const StateDirectory& directory);
// Made before the container's process, which inherits it.
Result<UniqueFd> listen_for_start(const StateDirectory& directory);

}  // namespace nsbox
