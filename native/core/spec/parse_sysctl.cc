#include <linux/sched.h>

#include "core/base/text.h"
#include "core/spec/parts.h"

namespace nsbox {

namespace {

// ipc_namespaces(7)
constexpr std::string_view kIpcParameters[] = {
    "kernel/auto_msgmni",     "kernel/msg_next_id", "kernel/msgmax",
    "kernel/msgmnb",          "kernel/msgmni",      "kernel/sem",
    "kernel/sem_next_id",     "kernel/shmall",      "kernel/shm_next_id",
    "kernel/shm_rmid_forced", "kernel/shmmax",      "kernel/shmmni"};

// The namespace that the parameter at this path belongs to; 0 for one of the whole machine.
uint64_t namespace_of(std::string_view path) {
  if (path.starts_with("net/")) return CLONE_NEWNET;
  if (path.starts_with("fs/mqueue/")) return CLONE_NEWIPC;
  if (path.starts_with("user/max_")) return CLONE_NEWUSER;
  if (path == "kernel/domainname") return CLONE_NEWUTS;
  for (const std::string_view ipc : kIpcParameters)
    if (path == ipc) return CLONE_NEWIPC;
  return 0;
}

// sysctl(8): whichever of '.' and '/' comes first parts the name, and the other one stands for it inside a
// part: "net.ipv4.conf.eth0/1.forwarding" is about the interface eth0.1.
std::string_view path_of(std::string_view name, Arena& arena) {
  const size_t separator = name.find_first_of("./");
  if (separator == std::string_view::npos || name[separator] == '/') return name;
  char* path = arena.allocate_array<char>(name.size());
  for (size_t i = 0; i < name.size(); i++) path[i] = name[i] == '.' ? '/' : name[i] == '/' ? '.' : name[i];
  return {path, name.size()};
}

// No part of it may be empty or lead elsewhere.
bool stays_below(std::string_view path) {
  for (const std::string_view part : split(path, '/'))
    if (part.empty() || part == "." || part == ".." || part.find('\0') != std::string_view::npos)
      return false;
  return true;
}

}  // namespace

Status read_sysctls(const Reader& object, Config& out, Arena& arena) {
  for (const json::Member& member : object.value().members()) {
    Sysctl one;
    one.name = member.name;
    TRY(object.read(member, one.value));
    one.path = path_of(one.name, arena);
    if (!stays_below(one.path) || one.value.find('\n') != std::string_view::npos)
      return object.refuse(one.name, "not a name and value of one kernel parameter");
    if (one.path == "kernel/hostname")
      return object.refuse(one.name, "not allowed, as it conflicts with the field hostname: use that");
    const uint64_t flag = namespace_of(one.path);
    if (!flag || !out.has_namespace(flag))
      return object.refuse(one.name, "would change the host: it belongs to no namespace of this container");
    out.sysctls.push_back(one);
  }
  return Ok{};
}

}  // namespace nsbox
