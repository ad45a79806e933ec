#include "core/container/mounts.h"

#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>

#include "core/container/join.h"
#include "core/container/outside_mounts.h"
#include "core/process/channel.h"
#include "core/spec/parse.h"
#include "core/sys/beneath.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr uint64_t kLockTimeout = 10'000'000'000;
constexpr int kDetach = 2;  // MNT_DETACH; sys/mount.h and linux/mount.h cannot be included together.

enum class Work : uint8_t { kAdd, kRemove };

// One child joins the container's namespaces and works there; we wait for what it has to say.
class Visit {
 public:
  Visit(const State& state, const Vector<Mount>& mounts, Work work)
      : state_(state), mounts_(mounts), work_(work) {}

  Status go() {
    init_ = TRY(sys::pidfd_open(state_.init.pid, 0));
    if (!is_alive(state_.init)) return Error::plain(ESRCH, "container not running");
    if (work_ == Work::kAdd) TRY(prepare());
    int ends[2];
    TRY(sys::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
    const UniqueFd ours(ends[0]);
    UniqueFd theirs(ends[1]);
    clone_args args = {};
    args.exit_signal = SIGCHLD;
    auto pid = sys::clone3(args);
    if (!pid) return pid.error().while_doing("start a process");
    if (*pid == 0) be_child(theirs.get());
    theirs.reset();
    auto done = hear(ours.get());
    (void)sys::wait4(*pid, nullptr, __WALL, nullptr);
    return done;
  }

 private:
  // What is bound is opened here, outside: the container's own root may not reach it.
  Status prepare() {
    Vector<Mount> wanted = mounts_;
    for (Mount& mount : wanted) mount.prepare = mount.bind && !mount.remount;
    const bool has_maps = state_.namespaces & CLONE_NEWUSER;
    for (const Mount& mount : wanted)
      if (mount.idmap && mount.user_mappings.empty() && !has_maps)
        return Error::invalid("mount ", mount.source, " on ", mount.destination,
                              ": idmap wants uidMappings and gidMappings, or a user namespace");
    UniqueFd ids;
    if (has_maps) ids = TRY(sys::open(format("/proc/", state_.init.pid, "/ns/user").c_str(), O_RDONLY));
    Vector<UniqueFd> made = TRY(make_outside_mounts(wanted, ids.get(), 0));
    size_t next = 0;
    for (const Mount& mount : wanted)
      prepared_.push_back(mount.prepare ? std::move(made[next++]) : UniqueFd());
    return Ok{};
  }

  [[noreturn]] void be_child(int channel) {
    auto done = work();
    const int err = done.err();
    const String text = done ? String() : done.error().message();
    const std::string_view parts[] = {{reinterpret_cast<const char*>(&err), sizeof err},
                                      text.view().substr(0, 4000)};
    (void)send_message(channel, parts, {});
    sys::exit(0);
  }

  static Status hear(int channel) {
    char buffer[4096];
    const Message got = TRY(receive_message(channel, buffer));
    int err = 0;
    if (got.size < sizeof err) return Error::plain(ECHILD, "the process that was to mount died");
    memcpy(&err, buffer, sizeof err);
    if (!err) return Ok{};
    return Error::plain(err, std::string_view(buffer + sizeof err, got.size - sizeof err));
  }

  Status work() {
    TRY(sys::prctl(PR_SET_PDEATHSIG, SIGKILL));
    TRY(sys::prctl(PR_SET_DUMPABLE, 0));  // Nothing in the container may look into us.
    own_files_ = TRY(sys::open("/proc/self/fd", O_PATH | O_DIRECTORY));
    TRY(join_container(init_.get(), state_.namespaces));
    root_ = TRY(sys::open("/", O_PATH | O_DIRECTORY));
    for (size_t i = 0; i < mounts_.size(); i++) {
      auto done = work_ == Work::kAdd ? add(i) : remove(mounts_[i]);
      if (done) continue;
      while (!added_.empty()) {
        (void)unmount(added_.back().get());
        added_.pop_back();
      }
      return done;
    }
    return Ok{};
  }

  Status add(size_t index) {
    Mount mount = mounts_[index];
    mount.prepared = prepared_[index].get();
    added_.push_back(TRY(mount_beneath(root_.get(), mount)));
    return Ok{};
  }

  Status remove(const Mount& mount) const {
    auto there = open_in_root(root_.get(), mount.destination, O_PATH);
    if (!there) return there.error().while_doing("unmount ", mount.destination);
    auto done = unmount(there->get());
    if (done.err() == EINVAL) return Error::plain(EINVAL, "unmount ", mount.destination, ": not mounted");
    if (!done) return done.error().while_doing("unmount ", mount.destination);
    return Ok{};
  }

  // By the descriptor's name in the host's procfs: the container's own may show anything.
  Status unmount(int fd) const {
    TRY(sys::fchdir(own_files_.get()));
    return sys::umount2(format(fd).c_str(), kDetach);
  }

  const State& state_;
  const Vector<Mount>& mounts_;
  Work work_;
  UniqueFd init_, own_files_, root_;
  Vector<UniqueFd> prepared_, added_;
};

Status visit(const StateDirectory& directory, const Vector<Mount>& mounts, Work work) {
  TRY(directory.lock(kLockTimeout));
  const State state = TRY(directory.read());
  if (living_pid(state, TRY(current_status(directory, state))) == 0)
    return Error::plain(ESRCH, "container not running");
  return Visit(state, mounts, work).go();
}

}  // namespace

Result<Vector<Mount>> parse_mounts(std::string_view text, Arena& arena) {
  const json::Value list = TRY(json::parse(text, arena));
  if (!list.is(json::Kind::kArray))
    return Error::invalid("expected an array of mounts, got ", json::name_of(list.kind()));
  // As a configuration of mounts alone.
  const std::string_view whole = arena.copy(format("{\"mounts\":", text, "}"));
  Config config = TRY(parse_box_config(TRY(json::parse(whole, arena)), arena));
  return std::move(config.mounts);
}

Status add_mounts(const StateDirectory& directory, const Vector<Mount>& mounts) {
  return visit(directory, mounts, Work::kAdd);
}

Status remove_mounts(const StateDirectory& directory, const Vector<Mount>& mounts) {
  return visit(directory, mounts, Work::kRemove);
}

}  // namespace nsbox
