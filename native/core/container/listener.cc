#include "core/container/listener.h"

#include <fcntl.h>
#include <linux/un.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>

#include "core/base/json.h"
#include "core/process/channel.h"
#include "core/sys/syscalls.h"

namespace nsbox {

Status send_listener(int socket, int listener, std::string_view metadata, std::string_view state,
                     std::string_view oci_version, pid_t pid) {
  json::Writer out;
  out.begin_object();
  out.key("ociVersion").string(oci_version);
  out.key("fds").begin_array().string("seccompFd").end_array();
  out.key("pid").number(pid);
  if (!metadata.empty()) out.key("metadata").string(metadata);
  String text = out.take();
  append(text, ",\"state\":", state, "}");
  const std::string_view parts[] = {text};
  auto done = send_message(socket, parts, {&listener, 1});
  if (!done) return done.error().while_doing("hand over the listener of the seccomp filter");
  return Ok{};
}

Result<UniqueFd> connect_to_listener(const SeccompProfile& profile) {
  for (const SeccompRule& rule : profile.syscalls)
    for (std::string_view name : rule.names)
      if (rule.action == SeccompAction::kNotify && (name == "sendmsg" || name == "write"))
        return Error::invalid("linux.seccomp.syscalls: SCMP_ACT_NOTIFY cannot be used for ", name,
                              ": the process could not hand its listener over");
  auto socket = connect_to_socket(profile.listener_path);
  if (!socket) return socket.error().while_doing("linux.seccomp.listenerPath");
  return socket;
}

Result<UniqueFd> connect_to_socket(std::string_view path) {
  UniqueFd socket = TRY(sys::socket(AF_UNIX, SOCK_STREAM, 0));
  // Somebody who listens and never accepts shall not keep us: EAGAIN then.
  const timeval longest = {10, 0};
  TRY(sys::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest));
  // By a descriptor, since the path may be longer than an address.
  auto place = sys::open(String(path).c_str(), O_PATH);
  if (!place) return place.error().while_doing("open the socket ", path);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const String name = format("/proc/self/fd/", place->get());
  memcpy(&address.sun_path, name.c_str(), name.size() + 1);
  auto done = sys::connect(socket.get(), &address, sizeof address);
  if (!done) return done.error().while_doing("connect to the socket ", path);
  return socket;
}

Status send_descriptor(int socket, std::string_view name, int fd) {
  const std::string_view parts[] = {name};
  auto done = send_message(socket, parts, {&fd, 1});
  if (!done) return done.error().while_doing("send ", name, " to the socket");
  return Ok{};
}

}  // namespace nsbox
