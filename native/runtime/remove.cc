#include "runtime/remove.h"

namespace nsbox::runtime {

Status remove_container(Globals& globals, const StateDirectory& directory, DeleteMode mode,
                        const HookOutput& output) {
  Vector<String> warnings;
  auto done = delete_container(
      directory, {.mode = mode, .hook_output = output, .environment = globals.bus_environment}, warnings);
  for (const String& warning : warnings) globals.log.warn(warning);
  return done;
}

}  // namespace nsbox::runtime
