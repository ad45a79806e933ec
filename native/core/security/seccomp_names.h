#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/security/seccomp_profile.h"

// How a profile spells its values: "SCMP_ACT_ERRNO", "SCMP_CMP_EQ", "SECCOMP_FILTER_FLAG_LOG".
namespace nsbox {

std::string_view oci_name(SeccompAction action);
std::string_view oci_name(SeccompOperator op);

std::optional<SeccompAction> seccomp_action_of(std::string_view name);
std::optional<SeccompOperator> seccomp_operator_of(std::string_view name);
// The bit of a SECCOMP_FILTER_FLAG_*.
std::optional<uint32_t> seccomp_flag_of(std::string_view name);

// All that we understand, for `features`; the flags in the order of their bits' list.
std::span<const std::string_view> seccomp_action_names();
std::span<const std::string_view> seccomp_operator_names();
std::span<const std::string_view> seccomp_flag_names();
std::span<const std::string_view> seccomp_architecture_names();

}  // namespace nsbox
