#pragma once

#include <string_view>

#include "core/base/error.h"

namespace nsbox::runtime {

// A file that the caller names, or standard input for "-": at most 1 MiB. A fifo without a writer is empty,
// and is not waited for.
Result<String> read_input(std::string_view path);

}  // namespace nsbox::runtime
