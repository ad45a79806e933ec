#include "runtime/commands/janitor.h"

#include <fcntl.h>
#include <linux/prctl.h>
#include <signal.h>

#include <cerrno>
#include <cstring>

#include "core/cgroup/cgroup.h"
#include "core/container/janitor_protocol.h"
#include "core/process/channel.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox::runtime {
namespace {

constexpr uint64_t kPatienceNs = 10'000'000'000;

// What is to be removed once the other side is gone.
struct Charge {
  UniqueFd dir;
  String name;
  cgroup::Hierarchy hierarchy;
  bool is_group = false;
};

class Janitor {
 public:
  explicit Janitor(int channel) : channel_(channel) {}

  int run() {
    // A signal to the whole group of the terminal is not for us: we have work to do after it.
    (void)sys::setsid();
    (void)sys::sigprocmask(SIG_SETMASK, ~uint64_t{0});
    (void)sys::prctl(PR_SET_NAME, reinterpret_cast<unsigned long>("nsbox-janitor"));
    while (take_charge()) {
    }
    clean();
    return 0;
  }

 private:
  bool take_charge() {
    char buffer[4096];
    auto message = receive_message(channel_, buffer);
    if (!message || message->size == 0) return false;
    JanitorCharge header;
    if (message->size < sizeof header || message->fds.size() != 1) return true;
    memcpy(&header, buffer, sizeof header);
    Charge charge;
    charge.name = String(std::string_view(buffer + sizeof header, message->size - sizeof header));
    charge.is_group = header.is_group != 0;
    charge.hierarchy.controllers = cgroup::Controllers::from_bits(header.controllers);
    charge.hierarchy.version = header.version == 2 ? cgroup::Version::kV2 : cgroup::Version::kV1;
    (charge.is_group ? charge.hierarchy.dir : charge.dir) = std::move(message->fds[0]);
    charges_.push_back(std::move(charge));
    return true;
  }

  // Groups first: what still runs in them could write to the directories.
  void clean() {
    cgroup::GroupSet parents;
    String name;
    for (Charge& charge : charges_) {
      if (!charge.is_group) continue;
      name = charge.name;
      parents.hierarchies.push_back(std::move(charge.hierarchy));
    }
    if (!parents.hierarchies.empty()) (void)cgroup::remove(parents, name.c_str(), kPatienceNs);
    for (const Charge& charge : charges_)
      if (!charge.is_group) remove_for_good(charge);
  }

  // A box that was being made when its starter was killed may still make directories in there while it dies.
  static void remove_for_good(const Charge& charge) {
    constexpr int kTries = 200;
    constexpr uint64_t kPauseNs = 50'000'000;
    for (int i = 0; i < kTries; i++) {
      if (remove_tree_at(charge.dir.get(), charge.name.c_str())) return;
      (void)sys::nanosleep(kPauseNs);
    }
  }

  int channel_;
  Vector<Charge> charges_;
};

}  // namespace

int run_janitor(int channel) { return Janitor(channel).run(); }

}  // namespace nsbox::runtime
