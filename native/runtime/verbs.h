#pragma once

#include "core/base/error.h"

namespace nsbox::runtime {

// nsbox-runtime [global options] VERB …: finds the verb, and tells what went wrong in it. The exit status.
int run_verb(int argc, char** argv, char** envp);

// The program could not be protected from the containers that it starts.
int tell_start_failure(const Error& error);

}  // namespace nsbox::runtime
