#pragma once

#include <string_view>

#include "core/base/error.h"

namespace nsbox::cgroup {

// What "slice:prefix:name" asks for: a scope in a slice, or (a name that ends in ".slice") a slice.
struct UnitName {
  String unit;   // "nsbox-web.scope"
  String slice;  // "machine.slice"; of a slice, the one above it. "-.slice" is the root.
  bool is_slice = false;
};

// Which of systemd's managers: of the machine or of the user.
enum class Manager : uint8_t { kSystem, kUser };

// An empty path means ":nsbox:<container_id>"; an empty slice system.slice, of a user's manager user.slice;
// an empty prefix none; "-" as the slice is the root. EINVAL for what systemd would not take as names.
Result<UnitName> parse_unit_name(std::string_view cgroups_path, std::string_view container_id,
                                 Manager manager);

// "/a.slice/a-b.slice" for "a-b.slice", and "/" for "-.slice".
Result<String> expand_slice(std::string_view slice);

// A unit's place among systemd's objects: "nsbox_2dweb_2escope" behind the folder of all units.
String unit_object_path(std::string_view unit);

}  // namespace nsbox::cgroup
