#pragma once

#include <string_view>

#include "core/base/arena.h"
#include "core/base/json.h"
#include "core/security/seccomp_profile.h"

namespace nsbox {

// Reads the runtime-spec's `linux.seccomp` object. An error names the place below `where`:
// "linux.seccomp.syscalls[3].action: unknown action SCMP_ACT_FOO". The profile's texts point into the
// document.
Result<SeccompProfile> parse_seccomp(const json::Value& value, Arena& arena,
                                     std::string_view where = "linux.seccomp");

// "SCMP_ACT_ERRNO", "SCMP_CMP_EQ", "SECCOMP_FILTER_FLAG_LOG": as a profile spells them.
std::string_view oci_name(SeccompAction action);
std::string_view oci_name(SeccompOperator op);
std::span<const std::string_view> seccomp_action_names();
std::span<const std::string_view> seccomp_operator_names();
std::span<const std::string_view> seccomp_flag_names();
std::span<const std::string_view> seccomp_architecture_names();

// Writes the profile as one JSON object, in the spec's form.
void write_seccomp(json::Writer& writer, const SeccompProfile& profile);
String profile_to_json(const SeccompProfile& profile);

}  // namespace nsbox
