#include "core/cgroup/cpuset.h"

#include "core/base/text.h"
#include "core/cgroup/files.h"

namespace nsbox::cgroup {

namespace {

Status inherit_file(int parent, int group, const char* file) {
  auto own = read_value(group, file);
  if (!own) return own.error().while_doing("read ", file);
  if (!trim(*own).empty()) return Ok{};
  auto value = read_value(parent, file);
  if (!value) return value.error().while_doing("read ", file);
  auto done = write_value(group, file, trim(*value));
  if (!done) return done.error().while_doing("set ", file, " to ", trim(*value));
  return Ok{};
}

}  // namespace

Status inherit_cpuset(int parent, int group) {
  TRY(inherit_file(parent, group, "cpuset.cpus"));
  return inherit_file(parent, group, "cpuset.mems");
}

Status pass_on_cpuset(int group) { return write_value(group, "cgroup.clone_children", "1"); }

}  // namespace nsbox::cgroup
