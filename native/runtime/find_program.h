#pragma once

#include <optional>

#include "runtime/verb.h"

namespace nsbox::runtime {

// A program of the host's by its name: in the caller's PATH, then where systems keep theirs.
std::optional<String> find_program(const Globals& globals, std::string_view name);

// The caller's environment, as programs are given it.
Vector<std::string_view> environment_of(const Globals& globals);

}  // namespace nsbox::runtime
