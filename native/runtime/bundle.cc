#include "runtime/bundle.h"

#include <fcntl.h>

#include "core/sys/syscalls.h"

namespace nsbox::runtime {

Result<Bundle> enter_bundle(const Arguments& arguments) {
  const String config =
      TRY(arguments.has("config") ? absolute_path(arguments.value("config")) : String("config.json"));
  const String place = TRY(absolute_path(arguments.value("bundle")));
  if (auto done = sys::chdir(place.c_str()); !done)
    return done.error().while_doing("enter the bundle ", place);
  Bundle out{TRY(absolute_path(".")), {}};
  out.path.truncate(out.path.size() > 2 ? out.path.size() - 2 : 1);
  out.loaded = TRY(load_config(AT_FDCWD, config));
  return out;
}

Status name_container(const Globals& globals, const Arguments& arguments, NewContainer& out) {
  out.id = TRY(only_id(arguments));
  out.root = globals.root;
  out.manager = globals.manager;
  out.bus = globals.bus;
  out.environment = globals.bus_environment;
  return Ok{};
}

}  // namespace nsbox::runtime
