#include "core/container/outside_mounts.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>

#include "core/mount/prepare.h"
#include "core/ns/user_namespace.h"
#include "core/process/channel.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr size_t kLongestText = 4000;

// A process of ours that answers descriptors over a channel, one a message, or the one error that ends it.
class Worker {
 public:
  template <typename Work>
  static Result<Vector<UniqueFd>> run(const Work& work) {
    int ends[2];
    TRY(sys::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
    UniqueFd ours(ends[0]), theirs(ends[1]);
    clone_args args = {};
    args.exit_signal = SIGCHLD;
    auto pid = sys::clone3(args);
    if (!pid) return pid.error().while_doing("start a process");
    if (*pid == 0) {
      (void)sys::close(ours.get());
      be(theirs.get(), work);
    }
    theirs.reset();
    auto made = hear(ours.get());
    (void)sys::wait4(*pid, nullptr, __WALL, nullptr);
    return made;
  }

  static Status answer(int channel, int fd) {
    const int err = 0;
    const std::string_view parts[] = {{reinterpret_cast<const char*>(&err), sizeof err}};
    return send_message(channel, parts, {&fd, 1});
  }

 private:
  // The last message has no descriptor: all is made, or why not.
  template <typename Work>
  [[noreturn]] static void be(int channel, const Work& work) {
    (void)sys::prctl(PR_SET_PDEATHSIG, SIGKILL);
    auto done = work(channel);
    const int err = done.err();
    const String text = done ? String() : done.error().message();
    const std::string_view parts[] = {{reinterpret_cast<const char*>(&err), sizeof err},
                                      text.view().substr(0, kLongestText)};
    (void)send_message(channel, parts, {});
    sys::exit(0);
  }

  static Result<Vector<UniqueFd>> hear(int channel) {
    Vector<UniqueFd> made;
    for (;;) {
      char buffer[sizeof(int) + kLongestText];
      Message got = TRY(receive_message(channel, buffer));
      int err = 0;
      if (got.size < sizeof err) return Error::plain(ECHILD, "the process that was to mount died");
      memcpy(&err, buffer, sizeof err);
      if (err) return Error::plain(err, std::string_view(buffer + sizeof err, got.size - sizeof err));
      if (got.fds.empty()) return made;
      made.push_back(std::move(got.fds[0]));
    }
  }
};

// Joining a namespace leads to its root: the way back is the directory's name.
template <typename Join>
Status keep_directory(const Join& join) {
  char directory[4096];
  const bool known = static_cast<bool>(sys::getcwd(directory, sizeof directory));
  TRY(join());
  if (known) (void)sys::chdir(directory);
  return Ok{};
}

Status copy_own_mounts(int user_namespace) {
  // EINVAL: it is our own.
  if (auto done = sys::setns(user_namespace, CLONE_NEWUSER); !done && done.err() != EINVAL)
    return done.error().while_doing("join the container's user namespace");
  if (auto done = sys::unshare(CLONE_NEWNS); !done) return done.error().while_doing("copy the mounts");
  return Ok{};
}

// Who makes it belongs to the user namespace for good, so that is a process of its own.
Result<UniqueFd> make_copy_of_mounts(int user_namespace) {
  auto made = TRY(Worker::run([user_namespace](int channel) -> Status {
    TRY(copy_own_mounts(user_namespace));
    const UniqueFd own = TRY(sys::open("/proc/self/ns/mnt", O_RDONLY));
    return Worker::answer(channel, own.get());
  }));
  if (made.size() != 1) return Error(ECHILD);
  return std::move(made[0]);
}

// Without rights outside there is nothing to keep: what can be mounted at all, the namespace's root can.
Status enter_copy_of_mounts(int user_namespace) {
  if (user_namespace < 0) return Ok{};
  if (!may_mount_outside()) return keep_directory([&] { return copy_own_mounts(user_namespace); });
  const UniqueFd mounts = TRY(make_copy_of_mounts(user_namespace));
  return keep_directory([&] { return sys::setns(mounts.get(), CLONE_NEWNS); });
}

// The user namespaces whose maps the mounts want, in their order.
Result<Vector<UniqueFd>> open_maps(const Vector<Mount>& mounts) {
  Vector<UniqueFd> maps;
  for (const Mount& mount : mounts) {
    if (!mount.prepare) continue;
    UniqueFd& map = maps.emplace_back();
    if (mount.idmap && !mount.user_mappings.empty())
      map = TRY(make_user_namespace(mount.user_mappings, mount.group_mappings));
  }
  return maps;
}

}  // namespace

bool may_mount_outside() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  return sys::capget(&header, sets) && (sets[0].effective >> CAP_SYS_ADMIN & 1);
}

Result<Vector<UniqueFd>> make_outside_mounts(const Vector<Mount>& mounts, int user_namespace,
                                             uint64_t rootfs_propagation) {
  const Vector<UniqueFd> maps = TRY(open_maps(mounts));
  return Worker::run([&](int channel) -> Status {
    TRY(enter_copy_of_mounts(user_namespace));
    size_t next = 0;
    for (const Mount& mount : mounts) {
      if (!mount.prepare) continue;
      const UniqueFd& map = maps[next++];
      UniqueFd made = TRY(prepare_bind(mount, map ? map.get() : user_namespace, rootfs_propagation));
      TRY(Worker::answer(channel, made.get()));
    }
    return Ok{};
  });
}

}  // namespace nsbox
