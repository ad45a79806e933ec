#pragma once

#include "core/container/delete.h"
#include "runtime/verb.h"

namespace nsbox::runtime {

// delete_container(), with its warnings in the log.
Status remove_container(Globals& globals, const StateDirectory& directory, DeleteMode mode,
                        const HookOutput& output);

}  // namespace nsbox::runtime
