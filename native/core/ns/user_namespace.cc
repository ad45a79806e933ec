#include "core/ns/user_namespace.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/wait.h>

#include <cerrno>

#include "core/ns/id_map.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

// Its end is ours: it lives until the other end of the pipe is closed.
[[noreturn]] void wait_for_end(int read_end, int write_end) {
  (void)sys::close(write_end);
  char byte;
  while (sys::read(read_end, &byte, 1).err() == EINTR) {
  }
  sys::exit(0);
}

Result<UniqueFd> map_and_open(pid_t pid, std::span<const IdMapping> users,
                              std::span<const IdMapping> groups) {
  UniqueFd proc = TRY(sys::open(format("/proc/", pid).c_str(), O_PATH | O_DIRECTORY));
  TRY(write_id_maps(proc.get(), users, groups));
  return sys::openat(proc.get(), "ns/user", O_RDONLY);
}

}  // namespace

Result<UniqueFd> make_user_namespace(std::span<const IdMapping> users, std::span<const IdMapping> groups) {
  int ends[2];
  TRY(sys::pipe2(ends, O_CLOEXEC));
  UniqueFd read_end(ends[0]), write_end(ends[1]);
  clone_args args = {};
  args.flags = CLONE_NEWUSER;
  auto pid = sys::clone3(args);
  if (!pid) return pid.error().while_doing("make a user namespace for mapped ids");
  if (*pid == 0) wait_for_end(read_end.get(), write_end.get());
  auto made = map_and_open(*pid, users, groups);
  write_end.reset();
  (void)sys::wait4(*pid, nullptr, __WALL, nullptr);
  if (!made) return made.error().while_doing("make a user namespace for mapped ids");
  return made;
}

}  // namespace nsbox
