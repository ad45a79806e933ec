#include "core/ns/namespaces.h"

#include <linux/sched.h>

#include <array>
#include <utility>

#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

struct Kind {
  std::string_view type;
  uint64_t flag;
};
constexpr Kind kKinds[] = {
    {"cgroup", CLONE_NEWCGROUP}, {"ipc", CLONE_NEWIPC},   {"mount", CLONE_NEWNS},  {"network", CLONE_NEWNET},
    {"pid", CLONE_NEWPID},       {"time", CLONE_NEWTIME}, {"user", CLONE_NEWUSER}, {"uts", CLONE_NEWUTS},
};

template <size_t... Index>
constexpr std::array<std::string_view, sizeof...(Index)> types_of(std::index_sequence<Index...>) {
  return {kKinds[Index].type...};
}
constexpr auto kTypes = types_of(std::make_index_sequence<std::size(kKinds)>());

}  // namespace

std::span<const std::string_view> namespace_types() { return kTypes; }

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
