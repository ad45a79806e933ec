#pragma once

#include <string_view>

#include "core/base/arena.h"
#include "core/base/json.h"
#include "core/security/seccomp_names.h"
#include "core/security/seccomp_profile.h"

namespace nsbox {

// Reads the runtime-spec's `linux.seccomp` object. An error names the place below `where`:
// "linux.seccomp.syscalls[3].action: unknown action SCMP_ACT_FOO". The profile's texts point into the
// document, its lists into the arena. An architecture of the spec's that we have no table for is left out of
// the profile: calls of it are killed, like those of one that was not named. A `receiver` takes the place of
// its listenerPath.
Result<SeccompProfile> parse_seccomp(const json::Value& value, Arena& arena,
                                     std::string_view where = "linux.seccomp",
                                     std::string_view receiver = {});

// Writes the profile as one JSON object, in the spec's form.
void write_seccomp(json::Writer& writer, const SeccompProfile& profile);
String profile_to_json(const SeccompProfile& profile);

}  // namespace nsbox
