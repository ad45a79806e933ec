#include "core/container/status.h"

#include <fcntl.h>
#include <linux/un.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr std::string_view kNames[] = {"creating", "created", "running", "paused", "stopped"};

sockaddr_un start_address(const StateDirectory& directory) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  // By the descriptor, since the directory's own path may be longer than an address.
  const String path = format("/proc/self/fd/", directory.fd(), "/", kStartSocket);
  memcpy(&address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

bool waits_for_start(const StateDirectory& directory) {
  auto connected = connect_to_start(directory);
  // A full queue is somebody's who listens.
  return connected || connected.err() == EAGAIN;
}

}  // namespace

std::string_view name_of(ContainerStatus status) { return kNames[static_cast<uint8_t>(status)]; }

std::optional<uint64_t> process_start(pid_t pid) {
  if (pid <= 0) return {};
  auto file = sys::open(format("/proc/", pid, "/stat").c_str(), O_RDONLY);
  if (!file) return {};
  char buffer[1024];
  auto got = sys::read(file->get(), buffer, sizeof buffer);
  if (!got) return {};
  std::string_view text(buffer, *got);
  // The name in brackets may hold anything; what follows does not.
  const size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos || name_end + 2 >= text.size()) return {};
  text.remove_prefix(name_end + 2);
  const char run_state = text[0];
  if (run_state == 'Z' || run_state == 'X') return {};
  for (int field = 3; field < 22; field++) cut(text, ' ');
  return parse_unsigned(cut(text, ' '));
}

Result<ProcessId> identify_process(pid_t pid) {
  const auto start = process_start(pid);
  if (!start) return Error(ESRCH);
  return ProcessId{pid, *start};
}

bool is_alive(const ProcessId& process) {
  const auto start = process_start(process.pid);
  return start && *start == process.start;
}

Result<ContainerStatus> current_status(const StateDirectory& directory, const State& state) {
  if (!state.made) return is_alive(state.creator) ? ContainerStatus::kCreating : ContainerStatus::kStopped;
  if (!is_alive(state.init)) return ContainerStatus::kStopped;
  const cgroup::GroupSet groups = TRY(open_groups(state));
  auto frozen = cgroup::is_frozen(groups);
  if (frozen && *frozen) return ContainerStatus::kPaused;
  return waits_for_start(directory) ? ContainerStatus::kCreated : ContainerStatus::kRunning;
}

pid_t living_pid(const State& state, ContainerStatus status) {
  const bool living = status == ContainerStatus::kCreated || status == ContainerStatus::kRunning ||
                      status == ContainerStatus::kPaused;
  return living ? state.init.pid : 0;
}

String public_state(const State& state, ContainerStatus status, StateFields fields,
                    std::string_view status_name, std::string_view owner) {
  if (status_name.empty()) status_name = name_of(status);
  json::Writer out;
  out.begin_object();
  out.key("ociVersion").string(state.oci_version);
  out.key("id").string(state.id);
  if (fields == StateFields::kVerbose) {
    out.key("pid").number(living_pid(state, status));
    out.key("status").string(status_name);
  } else {
    out.key("status").string(status_name);
    if (const pid_t pid = living_pid(state, status)) out.key("pid").number(pid);
  }
  out.key("bundle").string(state.bundle);
  if (fields == StateFields::kVerbose) {
    out.key("rootfs").string(state.rootfs);
    out.key("created").string(state.created);
    out.key("owner").string(owner);
  }
  if (!state.annotations.empty()) {
    out.key("annotations").begin_object();
    for (const StateAnnotation& one : state.annotations) out.key(one.name).string(one.value);
    out.end_object();
  }
  out.end_object();
  return out.take();
}

Result<cgroup::GroupSet> open_groups(const State& state) {
  cgroup::GroupSet groups;
  for (const GroupPath& one : state.groups) {
    auto dir = sys::open(one.path.c_str(), O_PATH | O_DIRECTORY);
    if (dir.err() == ENOENT) continue;
    if (!dir) return dir.error().while_doing("open the cgroup ", one.path);
    groups.hierarchies.push_back({one.controllers, one.version, std::move(*dir)});
  }
  return groups;
}

Result<UniqueFd> connect_to_start(const StateDirectory& directory) {
  UniqueFd socket = TRY(sys::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0));
  const sockaddr_un address = start_address(directory);
  TRY(sys::connect(socket.get(), &address, sizeof address));
  return socket;
}

Result<UniqueFd> listen_for_start(const StateDirectory& directory) {
  UniqueFd socket = TRY(sys::socket(AF_UNIX, SOCK_SEQPACKET, 0));
  const sockaddr_un address = start_address(directory);
  TRY(sys::bind(socket.get(), &address, sizeof address));
  TRY(sys::listen(socket.get(), 16));
  return socket;
}

}  // namespace nsbox
