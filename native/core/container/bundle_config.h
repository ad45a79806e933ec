#pragma once

#include <memory>

#include "core/base/arena.h"
#include "core/spec/config.h"

namespace nsbox {

// A config.json that was read, and the memory in which its texts lie.
struct LoadedConfig {
  std::unique_ptr<Arena> arena;
  std::string_view text;
  Config config;
};

// Of a bundle: a regular file, at most 16 MiB. What a container cannot do without is checked: a process, a
// root, a mount namespace.
Result<LoadedConfig> load_config(int dir, std::string_view path);
// What create has saved of it.
Result<LoadedConfig> load_saved_config(int state_directory);

}  // namespace nsbox
