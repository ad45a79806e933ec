#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/vector.h"
#include "core/security/architecture.h"

namespace nsbox {

// SCMP_ACT_*; SCMP_ACT_KILL is an old name of KILL_THREAD.
enum class SeccompAction : uint8_t {
  kKillThread,
  kKillProcess,
  kTrap,
  kErrno,
  kTrace,
  kAllow,
  kLog,
  kNotify,
};

// SCMP_CMP_*: how the argument stands to the value, both unsigned 64 bits.
enum class SeccompOperator : uint8_t {
  kNotEqual,
  kLess,
  kLessOrEqual,
  kEqual,
  kGreaterOrEqual,
  kGreater,
  kMaskedEqual,  // (argument & value) == value_two
};

struct SeccompArg {
  uint32_t index = 0;  // 0 to 5
  SeccompOperator op = SeccompOperator::kEqual;
  uint64_t value = 0;
  uint64_t value_two = 0;
};

// One entry of `linux.seccomp.syscalls`.
struct SeccompRule {
  std::span<const std::string_view> names;
  SeccompAction action = SeccompAction::kAllow;
  std::optional<uint16_t> errno_ret;  // For kErrno and kTrace; EPERM where absent.
  std::span<const SeccompArg> args;
};

// The runtime-spec's `linux.seccomp`. Texts and spans are borrowed: from the configuration's arena, or from
// tables.
struct SeccompProfile {
  SeccompAction default_action = SeccompAction::kErrno;
  std::optional<uint16_t> default_errno;
  Vector<Architecture> architectures;  // Beside the native one, which is always covered.
  std::optional<uint32_t> flags;       // SECCOMP_FILTER_FLAG_*; absent when the profile has no such list.
  std::string_view listener_path;
  std::string_view listener_metadata;
  Vector<SeccompRule> syscalls;

  // Whether a listener must take notifications: some rule, or the default, answers kNotify.
  bool notifies() const;
};

}  // namespace nsbox
