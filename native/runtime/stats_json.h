#pragma once

#include "core/cgroup/cgroup.h"
#include "core/cgroup/further_stats.h"

namespace nsbox::runtime {

// One line of `events`, in runc's form: {"type":"stats","id":…,"data":{…}}. What is not known, or zero where
// runc leaves zeros out, is left out.
String stats_event(std::string_view id, const cgroup::GroupSet& groups, const cgroup::Stats& stats,
                   const cgroup::FurtherStats& further);
// {"type":"oom","id":…}
String oom_event(std::string_view id);

}  // namespace nsbox::runtime
