#pragma once

#include <string_view>

#include "core/base/error.h"
#include "core/base/vector.h"
#include "core/cgroup/controllers.h"

namespace nsbox::cgroup {

enum class Access : uint8_t { kReadWrite, kReadOnly };

// One mounted hierarchy, and where in it this process is.
struct HierarchyLayout {
  Version version = Version::kV1;
  Controllers
      controllers;  // v1: what it was mounted with. v2: kUnified, and whatever no v1 hierarchy has taken.
  String name;      // Of a v1 hierarchy without controllers: "systemd".
  String mount_point;
  String
      mount_root;  // The group that the mount point shows: not "/" in a container without a cgroup namespace.
  String own_group;  // As /proc/self/cgroup has it.
  // The own group, seen from the mount point: "" or "a/b"; "" too when the mount does not show it.
  String own_path;
  bool shows_own = true;
  Access access = Access::kReadWrite;  // Of the mount.
};

struct Layout {
  Vector<HierarchyLayout> hierarchies;

  const HierarchyLayout* find(Controller controller) const;
};

// From the texts of /proc/self/mountinfo and /proc/self/cgroup. Touches no file.
// `lines`: gets the lines of mountinfo from which the layout comes, all that it takes to read it once more.
Layout parse_layout(std::string_view mountinfo, std::string_view own_groups, String* lines = nullptr);
// Reads both files: done once in a process's life.
Result<Layout> read_layout();

}  // namespace nsbox::cgroup
