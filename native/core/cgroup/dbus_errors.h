#pragma once

#include "core/base/error.h"
#include "core/cgroup/dbus_reader.h"

namespace nsbox::cgroup::dbus {

// An error message as an Error: "org.freedesktop.systemd1.NoSuchUnit: Unit x.scope not loaded."
Error error_of(const Message& message);

}  // namespace nsbox::cgroup::dbus
