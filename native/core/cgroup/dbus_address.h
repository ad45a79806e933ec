#pragma once

#include <string_view>

#include "core/base/error.h"
#include "core/base/vector.h"

namespace nsbox::cgroup::dbus {

// A socket of this machine: a path, or (Linux's own kind) a name without one.
struct Address {
  String name;
  bool abstract = false;
};

// The sockets in a bus address such as "unix:path=/run/user/0/bus,guid=ab;unix:abstract=x", in its order.
// Other transports are left out. EINVAL when none is left, or an escape is wrong.
Result<Vector<Address>> parse_addresses(std::string_view text);

}  // namespace nsbox::cgroup::dbus
