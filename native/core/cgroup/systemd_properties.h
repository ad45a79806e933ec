#pragma once

#include "core/cgroup/dbus_writer.h"
#include "core/cgroup/layout.h"
#include "core/cgroup/limits.h"

namespace nsbox::cgroup {

// What decides how a limit is called.
struct PropertyDialect {
  Version version = Version::kV2;  // Of the hierarchy that has the controllers.
  unsigned systemd = 0;            // Its version, such as 252; what an older one does not know is left out.
};

// The limits that systemd has words for. It writes the same values as apply_limits(), which sets all of them:
// told of them, it does not reset them when it next touches the unit. Left out on purpose: device rules (ours
// are a BPF program beside systemd's, which that leaves alone), throttles of devices (by path, not by
// number).
Status add_limits(dbus::Properties& out, const Limits& limits, const PropertyDialect& dialect);
// Without these, a controller is not in the group at all.
void add_accounting(dbus::Properties& out, Version version);

// "0-3,7" as the bits of a little-endian number, the way systemd has it. EINVAL when it is no such list.
Result<String> bits_of_list(std::string_view list);
// Whether the properties depend on systemd's version, so that it has to be asked.
bool depends_on_version(const Limits& limits);

}  // namespace nsbox::cgroup
