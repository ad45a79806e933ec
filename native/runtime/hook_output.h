#pragma once

#include "core/container/hooks.h"
#include "core/container/state.h"

namespace nsbox::runtime {

// The files that the annotations run.oci.hooks.stdout and run.oci.hooks.stderr name.
struct HookFiles {
  UniqueFd out;
  UniqueFd err;

  HookOutput output() const { return {out.get(), err.get()}; }
};

Result<HookFiles> open_hook_files(const Vector<Annotation>& annotations);
Result<HookFiles> open_hook_files(const State& state);

}  // namespace nsbox::runtime
