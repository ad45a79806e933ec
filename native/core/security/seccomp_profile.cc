#include "core/security/seccomp_profile.h"

#include <algorithm>

namespace nsbox {

bool SeccompProfile::notifies() const {
  return default_action == SeccompAction::kNotify ||
         std::any_of(syscalls.begin(), syscalls.end(),
                     [](const SeccompRule& rule) { return rule.action == SeccompAction::kNotify; });
}

}  // namespace nsbox
