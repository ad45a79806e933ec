#include "core/cgroup/make.h"

#include <fcntl.h>

#include <cerrno>

#include "core/cgroup/cpuset.h"
#include "core/sys/syscalls.h"

namespace nsbox::cgroup {

namespace {

Result<Hierarchy> open_made(const Hierarchy& parent, const char* name) {
  Hierarchy group = {parent.controllers, parent.version, {}};
  group.dir = TRY(sys::openat(parent.dir.get(), name, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  if (group.version == Version::kV1 && group.controllers.has(Controller::kCpuset))
    TRY(inherit_cpuset(parent.dir.get(), group.dir.get()));
  return group;
}

}  // namespace

Result<Hierarchy> make_in(const Hierarchy& parent, const char* name, Made& made) {
  auto done = sys::mkdirat(parent.dir.get(), name, 0755);
  if (!done && done.err() != EEXIST) return done.error();
  made = done ? Made::kNew : Made::kThereBefore;
  auto group = open_made(parent, name);
  if (!group && made == Made::kNew) (void)sys::unlinkat(parent.dir.get(), name, AT_REMOVEDIR);
  return group;
}

}  // namespace nsbox::cgroup
