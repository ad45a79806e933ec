#pragma once

#include "core/container/new_process.h"
#include "core/process/terminal.h"

namespace nsbox {

// A terminal of the container's own devpts, of the size and owner that the process wants.
Result<Terminal> make_terminal(const ProcessSpec& process, int root, const Identity& who);
// Also as /dev/console, over the file that is there for it.
Status show_console(const Terminal& terminal, int place);

}  // namespace nsbox
