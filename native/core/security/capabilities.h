#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/error.h"

namespace nsbox {

// A set of capabilities: capability n is bit n.
using CapabilityMask = uint64_t;

struct CapabilitySets {
  CapabilityMask bounding = 0;
  CapabilityMask effective = 0;
  CapabilityMask inheritable = 0;
  CapabilityMask permitted = 0;
  CapabilityMask ambient = 0;

  bool operator==(const CapabilitySets&) const = default;
};

// The number of "CAP_SYS_ADMIN", spelt exactly so; nothing for another text.
std::optional<unsigned> capability_number(std::string_view name);
// "CAP_SYS_ADMIN"; an empty text for a number without a name.
std::string_view capability_name(unsigned number);
constexpr unsigned kNamedCapabilities = 41;

// The highest capability of this kernel, and the set of all that it has.
Result<unsigned> last_capability();
Result<CapabilityMask> all_capabilities();

// The calling thread's sets: by one capget, and by one prctl for each capability (bounding, ambient).
Result<CapabilitySets> current_capabilities();
// Only of those that are asked for, each of which costs a call.
Result<CapabilityMask> bounding_capabilities(CapabilityMask asked = ~CapabilityMask{0});

// What of `wanted` this process may have: each set cut down to its bounding set.
CapabilitySets clamp_capabilities(const CapabilitySets& wanted, CapabilityMask bounding);
// Refuses sets that hold what we do not ("CAP_SYS_RESOURCE is not in our bounding set"), or that the kernel
// would refuse (effective beyond permitted, ambient beyond permitted and inheritable).
Status check_capabilities(const CapabilitySets& wanted, CapabilityMask bounding);

// A process that changes its user to the container's calls these in this order:
// keep_capabilities_over_setuid, drop_bounding, setgroups, setresgid, setresuid, set_capabilities. Each is
// exact: no set is derived from another.
Status keep_capabilities_over_setuid();
// Drops from the bounding set what is not in `kept`, by a call for each; for a caller that knows the present
// set, only what is in that. Needs CAP_SETPCAP.
Status drop_bounding(CapabilityMask kept, CapabilityMask present = ~CapabilityMask{0});
// Permitted, effective and inheritable, then ambient: exactly those. The bounding set is drop_bounding's.
Status set_capabilities(const CapabilitySets& sets);

Status clear_ambient();
Status raise_ambient(CapabilityMask capabilities);

}  // namespace nsbox
