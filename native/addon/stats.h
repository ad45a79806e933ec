#pragma once

#include <napi.h>

#include "core/cgroup/stats.h"

namespace nsbox::addon {

// What a group uses, as NativeStats of lib/native/contract.ts.
Napi::Value stats_to_js(Napi::Env env, cgroup::Stats& stats);

}  // namespace nsbox::addon
