#pragma once

#include "core/container/status.h"

namespace nsbox {

// "9", "KILL", "SIGKILL", "RTMIN+3"; nothing for another text.
std::optional<int> parse_signal(std::string_view text);

enum class KillScope : uint8_t { kInit, kAll };

// A signal to the container's init, or to each of its processes. "container not running" for one that is not.
Status kill_container(const StateDirectory& directory, const State& state, int signal, KillScope scope);

// SIGKILL for all of it, whatever its status; returns when its init is gone (ETIMEDOUT after ten seconds).
Status end_container(const State& state);

}  // namespace nsbox
