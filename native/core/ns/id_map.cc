#include "core/ns/id_map.h"

#include <fcntl.h>

#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {

String id_map_text(std::span<const IdMapping> mappings) {
  String text;
  for (const IdMapping& one : mappings) append(text, one.container, " ", one.host, " ", one.size, "\n");
  return text;
}

Status write_id_maps(int proc, std::span<const IdMapping> users, std::span<const IdMapping> groups) {
  TRY(write_file_at(proc, "uid_map", id_map_text(users)));
  return write_file_at(proc, "gid_map", id_map_text(groups));
}

Status write_own_id_maps(std::span<const IdMapping> users, std::span<const IdMapping> groups) {
  // Without CAP_SETGID outside, a group map wants setgroups denied: else a group could be dropped that
  // forbids.
  TRY(write_file_at(AT_FDCWD, "/proc/self/setgroups", "deny"));
  UniqueFd proc = TRY(sys::open("/proc/self", O_PATH | O_DIRECTORY));
  return write_id_maps(proc.get(), users, groups);
}

}  // namespace nsbox
