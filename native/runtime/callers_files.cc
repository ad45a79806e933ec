#include "runtime/callers_files.h"

#include "core/container/listener.h"
#include "runtime/verb.h"

namespace nsbox::runtime {

Result<CallersFiles> open_callers_files(const Arguments& arguments) {
  CallersFiles out;
  if (arguments.has("pid-file")) out.pid_file = TRY(absolute_path(arguments.value("pid-file")));
  if (const std::string_view path = arguments.value("console-socket"); !path.empty())
    out.console_socket = TRY(connect_to_socket(path));
  if (const std::string_view path = arguments.value("pidfd-socket"); !path.empty())
    out.pidfd_socket = TRY(connect_to_socket(path));
  return out;
}

Status check_terminal(const CallersFiles& files, bool terminal, bool detached) {
  const bool socket = static_cast<bool>(files.console_socket);
  if (terminal && !socket && detached)
    return usage_error("cannot allocate tty if runc will detach without setting console socket");
  if (socket && !terminal)
    return usage_error("cannot use console socket if runc will not detach or allocate tty");
  return Ok{};
}

}  // namespace nsbox::runtime
