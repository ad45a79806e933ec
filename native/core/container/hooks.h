#pragma once

#include <sys/types.h>

#include <span>

#include "core/container/status.h"
#include "core/spec/config.h"

namespace nsbox {

// Where a hook's words go: the annotations run.oci.hooks.stdout and run.oci.hooks.stderr; -1: into the error
// of a hook that fails.
struct HookOutput {
  int output = -1;
  int error_output = -1;
};

// Runs each in turn, with the state on its standard input and the environment that it names alone. Stops at
// the first that fails: "error running createRuntime hook #1: exit status 1".
Status run_hooks(std::string_view kind, const Vector<Hook>& hooks, std::string_view state,
                 const HookOutput& output = {});
// That one of them.
Status run_one_hook(std::string_view kind, const Vector<Hook>& hooks, size_t index, std::string_view state,
                    const HookOutput& output);

}  // namespace nsbox
