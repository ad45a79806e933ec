#include "core/ns/namespaces.h"

#include <linux/sched.h>

#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

struct Kind {
  std::string_view type;
  uint64_t flag;
};
constexpr Kind kKinds[] = {
    {"pid", CLONE_NEWPID}, {"network", CLONE_NEWNET}, {"mount", CLONE_NEWNS},      {"ipc", CLONE_NEWIPC},
    {"uts", CLONE_NEWUTS}, {"user", CLONE_NEWUSER},   {"cgroup", CLONE_NEWCGROUP}, {"time", CLONE_NEWTIME},
};

}  // namespace

uint64_t namespace_flag(std::string_view type) {
  for (const Kind& kind : kKinds)
    if (kind.type == type) return kind.flag;
  return 0;
}

Status join_namespace(std::string_view path, uint64_t flag) {
  auto fd = sys::open(String(path).c_str(), O_RDONLY);
  if (!fd) return fd.error().while_doing("open the namespace ", path);
  auto joined = sys::setns(fd->get(), static_cast<int>(flag));
  if (!joined) return joined.error().while_doing("join the namespace ", path);
  return Ok{};
}

}  // namespace nsbox
