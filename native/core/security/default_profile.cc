#include "core/security/default_profile.h"

#include <errno.h>
#include <linux/capability.h>

#include <array>

namespace nsbox {

namespace {

using Names = std::span<const std::string_view>;

constexpr uint64_t bit(unsigned capability) { return uint64_t{1} << capability; }
constexpr unsigned on(Architecture architecture) { return 1u << static_cast<unsigned>(architecture); }

constexpr unsigned kEverywhere = ~0u;
constexpr unsigned kArmFamily = on(Architecture::kArm) | on(Architecture::kAarch64);
constexpr unsigned kX86Family = on(Architecture::kX86) | on(Architecture::kX86_64) | on(Architecture::kX32);

// Calls that every container may make.
constexpr std::string_view kAlways[] = {
#include "core/security/default_profile_calls.inc"
};

constexpr std::string_view kPpc[] = {"sync_file_range2", "swapcontext"};
constexpr std::string_view kArm[] = {"arm_fadvise64_64", "arm_sync_file_range", "sync_file_range2",
                                     "breakpoint",       "cacheflush",          "set_tls"};
constexpr std::string_view kX86_64Only[] = {"arch_prctl"};
constexpr std::string_view kX86All[] = {"modify_ldt"};
constexpr std::string_view kS390[] = {"s390_pci_mmio_read", "s390_pci_mmio_write", "s390_runtime_instr"};
constexpr std::string_view kRiscv[] = {"riscv_flush_icache"};
constexpr std::string_view kDacReadSearch[] = {"open_by_handle_at"};
constexpr std::string_view kSysAdmin[] = {"bpf",
                                          "clone",
                                          "clone3",
                                          "fanotify_init",
                                          "fsconfig",
                                          "fsmount",
                                          "fsopen",
                                          "fspick",
                                          "lookup_dcookie",
                                          "lsm_get_self_attr",
                                          "lsm_list_modules",
                                          "lsm_set_self_attr",
                                          "mount",
                                          "mount_setattr",
                                          "move_mount",
                                          "open_tree",
                                          "perf_event_open",
                                          "quotactl",
                                          "quotactl_fd",
                                          "setdomainname",
                                          "sethostname",
                                          "setns",
                                          "syslog",
                                          "umount",
                                          "umount2",
                                          "unshare"};
constexpr std::string_view kSysBoot[] = {"reboot"};
constexpr std::string_view kSysChroot[] = {"chroot"};
constexpr std::string_view kSysModule[] = {"delete_module", "finit_module", "init_module"};
constexpr std::string_view kSysPacct[] = {"acct"};
constexpr std::string_view kSysPtrace[] = {"kcmp", "pidfd_getfd", "process_madvise"};
constexpr std::string_view kSysRawio[] = {"ioperm", "iopl"};
constexpr std::string_view kSysTime[] = {"clock_settime", "clock_settime64", "settimeofday", "stime"};
constexpr std::string_view kSysTtyConfig[] = {"vhangup"};
constexpr std::string_view kSysNice[] = {"get_mempolicy", "mbind", "set_mempolicy",
                                         "set_mempolicy_home_node"};
constexpr std::string_view kSyslog[] = {"syslog"};
constexpr std::string_view kBpf[] = {"bpf"};
constexpr std::string_view kPerfmon[] = {"perf_event_open"};

// Calls that some containers may make: those with the capability, on these architectures.
struct Extra {
  Names names;
  uint64_t capability;  // 0: none needed.
  unsigned architectures;
};
constexpr Extra kExtras[] = {
    {kPpc, 0, on(Architecture::kPpc64le)},
    {kArm, 0, kArmFamily},
    {kX86_64Only, 0, on(Architecture::kX86_64) | on(Architecture::kX32)},
    {kX86All, 0, kX86Family},
    {kS390, 0, on(Architecture::kS390x)},
    {kRiscv, 0, on(Architecture::kRiscv64)},
    {kDacReadSearch, bit(CAP_DAC_READ_SEARCH), kEverywhere},
    {kSysAdmin, bit(CAP_SYS_ADMIN), kEverywhere},
    {kSysBoot, bit(CAP_SYS_BOOT), kEverywhere},
    {kSysChroot, bit(CAP_SYS_CHROOT), kEverywhere},
    {kSysModule, bit(CAP_SYS_MODULE), kEverywhere},
    {kSysPacct, bit(CAP_SYS_PACCT), kEverywhere},
    {kSysPtrace, bit(CAP_SYS_PTRACE), kEverywhere},
    {kSysRawio, bit(CAP_SYS_RAWIO), kEverywhere},
    {kSysTime, bit(CAP_SYS_TIME), kEverywhere},
    {kSysTtyConfig, bit(CAP_SYS_TTY_CONFIG), kEverywhere},
    {kSysNice, bit(CAP_SYS_NICE), kEverywhere},
    {kSyslog, bit(CAP_SYSLOG), kEverywhere},
    {kBpf, bit(CAP_BPF), kEverywhere},
    {kPerfmon, bit(CAP_PERFMON), kEverywhere},
};

constexpr std::string_view kPersonality[] = {"personality"};
constexpr std::string_view kSocket[] = {"socket"};
constexpr std::string_view kClone[] = {"clone"};
constexpr std::string_view kClone3[] = {"clone3"};

constexpr SeccompArg equals(uint64_t value) { return {0, SeccompOperator::kEqual, value, 0}; }

// PER_LINUX, PER_LINUX32, each also with UNAME26, and "tell me which".
constexpr SeccompArg kPersonalities[] = {equals(0x0), equals(0x8), equals(0x20000), equals(0x20008),
                                         equals(0xffffffff)};

// The socket families of one number each, beside those below 12 (unix, inet, inet6 …). Not among them: those
// that no kernel has any more, AF_ALG (38: the kernel's cryptography, often the way in) and AF_VSOCK (40: it
// knows no network namespaces, so it reaches the machine's host).
constexpr SeccompArg kFamilies[] = {{0, SeccompOperator::kLess, 12, 0},
                                    equals(13),
                                    equals(14),
                                    equals(15),
                                    equals(16),
                                    equals(17),
                                    equals(18),
                                    equals(21),
                                    equals(22),
                                    equals(24),
                                    equals(26),
                                    equals(27),
                                    equals(28),
                                    equals(29),
                                    equals(30),
                                    equals(31),
                                    equals(32),
                                    equals(33),
                                    equals(35),
                                    equals(36),
                                    equals(39),
                                    equals(41),
                                    equals(42),
                                    equals(43),
                                    equals(44),
                                    equals(45)};

// CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET: none may be set.
constexpr uint64_t kNewNamespaces = 0x7e020000;
constexpr SeccompArg kCloneFlags[] = {{0, SeccompOperator::kMaskedEqual, kNewNamespaces, 0}};
constexpr SeccompArg kCloneFlagsOfS390[] = {{1, SeccompOperator::kMaskedEqual, kNewNamespaces, 0}};

SeccompRule allow(Names names, std::span<const SeccompArg> args = {}) {
  return {names, SeccompAction::kAllow, std::nullopt, args};
}

// One rule for each value: a list of conditions on one argument means "any of" to runc alone.
void allow_each(SeccompProfile& profile, Names names, std::span<const SeccompArg> args) {
  for (size_t i = 0; i < args.size(); i++) profile.syscalls.push_back(allow(names, args.subspan(i, 1)));
}

void add_clone_rules(SeccompProfile& profile, Architecture native) {
  profile.syscalls.push_back(
      allow(kClone, native == Architecture::kS390x ? std::span(kCloneFlagsOfS390) : std::span(kCloneFlags)));
  // Its flags are in memory, where a filter cannot look; ENOSYS makes a C library use clone.
  profile.syscalls.push_back({kClone3, SeccompAction::kErrno, ENOSYS, {}});
}

Vector<Architecture> covered_by(Architecture native) {
  switch (native) {
    case Architecture::kX86_64:
      return {Architecture::kX86_64, Architecture::kX86, Architecture::kX32};
    case Architecture::kAarch64:
      return {Architecture::kAarch64, Architecture::kArm};
    default:
      return {native};
  }
}

}  // namespace

SeccompProfile default_seccomp_profile(const DefaultProfileOptions& options) {
  SeccompProfile profile;
  profile.default_action = SeccompAction::kErrno;
  profile.default_errno = EPERM;
  profile.architectures = covered_by(options.native);
  profile.syscalls.reserve(1 + std::size(kExtras) + std::size(kPersonalities) + std::size(kFamilies) + 2);
  profile.syscalls.push_back(allow(kAlways));
  for (const Extra& extra : kExtras)
    if ((extra.capability & ~options.capabilities) == 0 && (extra.architectures & on(options.native)))
      profile.syscalls.push_back(allow(extra.names));
  allow_each(profile, kSocket, kFamilies);
  allow_each(profile, kPersonality, kPersonalities);
  if (!(options.capabilities & bit(CAP_SYS_ADMIN))) add_clone_rules(profile, options.native);
  return profile;
}

}  // namespace nsbox
