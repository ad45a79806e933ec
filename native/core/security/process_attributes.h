#pragma once

#include "core/base/error.h"

namespace nsbox {

// Writes oom_score_adj through a descriptor of a trusted /proc/self. The error names the value.
Status set_oom_score_adj(int proc_self, int score);

}  // namespace nsbox
