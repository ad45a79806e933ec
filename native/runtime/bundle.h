#pragma once

#include "core/container/bundle_config.h"
#include "core/container/new_container.h"
#include "runtime/verb.h"

namespace nsbox::runtime {

struct Bundle {
  String path;  // Absolute.
  LoadedConfig loaded;
};

// That of --bundle and --config: the working directory from then on.
Result<Bundle> enter_bundle(const Arguments& arguments);

// Which container it will be, where, and who manages its groups.
Status name_container(const Globals& globals, const Arguments& arguments, NewContainer& out);

}  // namespace nsbox::runtime
