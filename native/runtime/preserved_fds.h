#pragma once

#include "runtime/arguments.h"

namespace nsbox::runtime {

// How many descriptors of the caller's, from 3 on, a program gets: --preserve-fds, and what sd_listen_fds(3)
// tells.
Result<unsigned> preserved_fds(const Arguments& arguments, std::string_view listen_fds = {});

}  // namespace nsbox::runtime
