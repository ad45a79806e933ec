#include "core/container/container_terminal.h"

#include <fcntl.h>

#include "core/mount/dev.h"
#include "core/sys/beneath.h"
#include "core/sys/syscalls.h"

namespace nsbox {

Result<Terminal> make_terminal(const ProcessSpec& process, int root, const Identity& who) {
  auto pts = open_in_root(root, "/dev/pts", O_PATH | O_DIRECTORY);
  if (!pts) return pts.error().while_doing("open /dev/pts");
  auto terminal = open_terminal(pts->get());
  if (!terminal) return terminal.error().while_doing("open a terminal");
  if (process.columns && process.rows)
    TRY(set_window_size(terminal->master.get(), process.columns, process.rows));
  if (who.user) (void)sys::fchown(terminal->slave.get(), who.user, who.group);
  return terminal;
}

Status show_console(const Terminal& terminal, int place) { return bind_console(place, terminal.slave.get()); }

}  // namespace nsbox
