#pragma once

#include "core/base/json.h"
#include "core/spec/config.h"

namespace nsbox {

// Reads a bundle's config.json and checks it as a whole. Strict by type, because the executable is a security
// boundary of its own; what only people need to be told is checked in lib/spec.
Result<Config> parse_config(const json::Value& document, Arena& arena);
// The same for a box's: what lib/ leaves to the box (version, root, process) may be absent.
Result<Config> parse_box_config(const json::Value& document, Arena& arena);
// Reads the configuration's process object, or the one an exec brings.
Result<ProcessSpec> parse_process(const json::Value& value, std::string_view name);

}  // namespace nsbox
