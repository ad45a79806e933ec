#pragma once

#include <string_view>

#include "core/base/error.h"
#include "core/cgroup/dbus_writer.h"

namespace nsbox::cgroup {

// A value in GVariant's text format, as the annotations org.systemd.property.* have it: `true`, `30`,
// `uint64 5`, `'text'`, `['a', 'b']`, `@as []`, `(1, 'x')`, `{'key': <5>}`, `[byte 1, 2]`. Becomes the
// property `name`. What D-Bus cannot carry (maybe, handles) is refused, as is text behind the value.
Status add_property_text(dbus::Properties& out, std::string_view name, std::string_view text);

// The annotation's property: checks the name, and makes of "TimeoutStopSec", in seconds, systemd's
// "TimeoutStopUSec".
Status add_annotated_property(dbus::Properties& out, std::string_view name, std::string_view text);

}  // namespace nsbox::cgroup
