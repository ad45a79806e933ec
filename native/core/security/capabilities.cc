#include "core/security/capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/prctl.h>

#include <array>
#include <bit>

#include "core/sys/syscalls.h"

namespace nsbox {

namespace {

// In the order of their numbers.
constexpr std::array<std::string_view, kNamedCapabilities> kNames{
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
};
static_assert(CAP_CHECKPOINT_RESTORE == kNamedCapabilities - 1);

constexpr unsigned kMaxCapabilities = 64;
constexpr CapabilityMask bit(unsigned number) { return CapabilityMask{1} << number; }

struct Header {
  uint32_t version = _LINUX_CAPABILITY_VERSION_3;
  int pid = 0;  // This thread.
};
struct Words {
  uint32_t effective = 0;
  uint32_t permitted = 0;
  uint32_t inheritable = 0;
};

constexpr uint32_t low(CapabilityMask mask) { return static_cast<uint32_t>(mask); }
constexpr uint32_t high(CapabilityMask mask) { return static_cast<uint32_t>(mask >> 32); }
constexpr CapabilityMask joined(uint32_t low_word, uint32_t high_word) {
  return CapabilityMask{high_word} << 32 | low_word;
}

// "CAP_SYS_ADMIN", or "capability 41" of one newer than this program.
String shown(unsigned number) {
  return number < kNames.size() ? String(kNames[number]) : format("capability ", number);
}
unsigned lowest(CapabilityMask mask) { return static_cast<unsigned>(std::countr_zero(mask)); }

// Asks about each of the numbers until one is beyond what the kernel knows.
template <typename Ask>
Result<CapabilityMask> gather(CapabilityMask asked, const Ask& ask) {
  CapabilityMask set = 0;
  for (CapabilityMask rest = asked; rest != 0; rest &= rest - 1) {
    auto has = ask(lowest(rest));
    if (has.err() == EINVAL) break;
    if (!has) return has.error().while_doing("ask for ", shown(lowest(rest)));
    if (*has > 0) set |= bit(lowest(rest));
  }
  return set;
}

Status check_subset(CapabilityMask set, CapabilityMask of, std::string_view set_name,
                    std::string_view reason) {
  if (const CapabilityMask beyond = set & ~of; beyond != 0)
    return Error::plain(EPERM, set_name, " capabilities: ", shown(lowest(beyond)), " is not in ", reason);
  return Ok{};
}

}  // namespace

std::optional<unsigned> capability_number(std::string_view name) {
  for (unsigned number = 0; number < kNames.size(); number++)
    if (kNames[number] == name) return number;
  return std::nullopt;
}

std::string_view capability_name(unsigned number) {
  return number < kNames.size() ? kNames[number] : std::string_view();
}

Result<unsigned> last_capability() {
  // The kernel knows all numbers up to its last one, so halving finds it in six calls; no /proc is needed.
  unsigned known = 0;
  unsigned unknown = kMaxCapabilities;
  while (unknown - known > 1) {
    const unsigned middle = (known + unknown) / 2;
    auto has = sys::prctl(PR_CAPBSET_READ, middle);
    if (!has && has.err() != EINVAL) return has.error().while_doing("read the bounding set");
    (has ? known : unknown) = middle;
  }
  return known;
}

Result<CapabilityMask> all_capabilities() {
  const unsigned last = TRY(last_capability());
  return ~CapabilityMask{0} >> (kMaxCapabilities - 1 - last);
}

Result<CapabilityMask> bounding_capabilities(CapabilityMask asked) {
  return gather(asked, [](unsigned number) { return sys::prctl(PR_CAPBSET_READ, number); });
}

Result<CapabilitySets> current_capabilities() {
  Header header;
  Words words[2];
  if (auto done = sys::capget(&header, words); !done)
    return done.error().while_doing("read our capabilities");
  CapabilitySets sets;
  sets.effective = joined(words[0].effective, words[1].effective);
  sets.permitted = joined(words[0].permitted, words[1].permitted);
  sets.inheritable = joined(words[0].inheritable, words[1].inheritable);
  sets.bounding = TRY(bounding_capabilities());
  // What is ambient is permitted and inheritable too: where nothing can be, nothing is asked.
  sets.ambient = TRY(gather(sets.permitted & sets.inheritable, [](unsigned number) {
    return sys::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, number);
  }));
  return sets;
}

CapabilitySets clamp_capabilities(const CapabilitySets& wanted, CapabilityMask bounding) {
  CapabilitySets sets = wanted;
  sets.bounding &= bounding;
  sets.permitted &= bounding;
  sets.effective &= sets.permitted;
  sets.inheritable &= bounding;
  sets.ambient &= sets.permitted & sets.inheritable;
  return sets;
}

Status check_capabilities(const CapabilitySets& wanted, CapabilityMask bounding) {
  const CapabilityMask all =
      wanted.bounding | wanted.permitted | wanted.effective | wanted.inheritable | wanted.ambient;
  if (const CapabilityMask beyond = all & ~bounding; beyond != 0)
    return Error::plain(EPERM, shown(lowest(beyond)), " is not in our bounding set");
  TRY(check_subset(wanted.effective, wanted.permitted, "effective", "the permitted set"));
  TRY(check_subset(wanted.ambient, wanted.permitted, "ambient", "the permitted set"));
  TRY(check_subset(wanted.ambient, wanted.inheritable, "ambient", "the inheritable set"));
  return Ok{};
}

Status keep_capabilities_over_setuid() {
  if (auto done = sys::prctl(PR_SET_KEEPCAPS, 1); !done)
    return done.error().while_doing("keep capabilities over the change of user");
  return Ok{};
}

Status drop_bounding(CapabilityMask kept, CapabilityMask present) {
  for (CapabilityMask rest = present & ~kept; rest != 0; rest &= rest - 1) {
    const unsigned number = lowest(rest);
    auto done = sys::prctl(PR_CAPBSET_DROP, number);
    if (done.err() == EINVAL) break;  // Beyond the kernel's last one.
    // Who may drop nothing can do without where there is nothing to drop.
    if (done.err() == EPERM && TRY(bounding_capabilities(CapabilityMask{1} << number)) == 0) continue;
    if (!done) return done.error().while_doing("drop ", shown(number), " from the bounding set");
  }
  return Ok{};
}

Status set_capabilities(const CapabilitySets& sets) {
  Header header;
  const Words words[2] = {{low(sets.effective), low(sets.permitted), low(sets.inheritable)},
                          {high(sets.effective), high(sets.permitted), high(sets.inheritable)}};
  if (auto done = sys::capset(&header, words); !done)
    return done.error().while_doing("set the permitted, effective and inheritable capabilities");
  // What our starter made ambient is no part of what was asked for. The kernel itself has dropped what is no
  // longer permitted and inheritable.
  if ((sets.permitted & sets.inheritable) != 0) TRY(clear_ambient());
  return raise_ambient(sets.ambient);
}

Status clear_ambient() {
  if (auto done = sys::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL); !done)
    return done.error().while_doing("clear the ambient capabilities");
  return Ok{};
}

Status raise_ambient(CapabilityMask capabilities) {
  for (CapabilityMask rest = capabilities; rest != 0; rest &= rest - 1) {
    const unsigned number = lowest(rest);
    if (auto done = sys::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number); !done)
      return done.error().while_doing("make ", shown(number), " ambient");
  }
  return Ok{};
}

}  // namespace nsbox
