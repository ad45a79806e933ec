#include "core/security/seccomp_names.h"

#include <linux/seccomp.h>

#include <array>

namespace nsbox {

namespace {

// In the order of the enumerations; the old name of KILL_THREAD stands last.
constexpr std::array<std::string_view, 9> kActions{
    "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP",   "SCMP_ACT_ERRNO", "SCMP_ACT_TRACE",
    "SCMP_ACT_ALLOW",       "SCMP_ACT_LOG",          "SCMP_ACT_NOTIFY", "SCMP_ACT_KILL"};
constexpr std::array<std::string_view, 7> kOperators{"SCMP_CMP_NE",       "SCMP_CMP_LT", "SCMP_CMP_LE",
                                                     "SCMP_CMP_EQ",       "SCMP_CMP_GE", "SCMP_CMP_GT",
                                                     "SCMP_CMP_MASKED_EQ"};
constexpr std::array<std::string_view, 4> kFlags{"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
                                                 "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
                                                 "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};
constexpr std::array<uint32_t, 4> kFlagBits{SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_FILTER_FLAG_LOG,
                                            SECCOMP_FILTER_FLAG_SPEC_ALLOW,
                                            SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV};
constexpr std::array<std::string_view, kArchitectures> kArchitectureNames{
    "SCMP_ARCH_X86_64",  "SCMP_ARCH_X86",     "SCMP_ARCH_X32",   "SCMP_ARCH_ARM",
    "SCMP_ARCH_AARCH64", "SCMP_ARCH_RISCV64", "SCMP_ARCH_S390X", "SCMP_ARCH_PPC64LE"};

std::optional<size_t> place_of(std::string_view name, std::span<const std::string_view> names) {
  for (size_t i = 0; i < names.size(); i++)
    if (names[i] == name) return i;
  return std::nullopt;
}

}  // namespace

std::string_view oci_name(SeccompAction action) { return kActions[static_cast<size_t>(action)]; }
std::string_view oci_name(SeccompOperator op) { return kOperators[static_cast<size_t>(op)]; }

std::optional<SeccompAction> seccomp_action_of(std::string_view name) {
  const auto place = place_of(name, kActions);
  if (!place) return std::nullopt;
  return *place == kActions.size() - 1 ? SeccompAction::kKillThread : static_cast<SeccompAction>(*place);
}

std::optional<SeccompOperator> seccomp_operator_of(std::string_view name) {
  const auto place = place_of(name, kOperators);
  if (!place) return std::nullopt;
  return static_cast<SeccompOperator>(*place);
}

std::optional<uint32_t> seccomp_flag_of(std::string_view name) {
  const auto place = place_of(name, kFlags);
  if (!place) return std::nullopt;
  return kFlagBits[*place];
}

std::span<const std::string_view> seccomp_action_names() { return kActions; }
std::span<const std::string_view> seccomp_operator_names() { return kOperators; }
std::span<const std::string_view> seccomp_flag_names() { return kFlags; }
std::span<const std::string_view> seccomp_architecture_names() { return kArchitectureNames; }

}  // namespace nsbox
