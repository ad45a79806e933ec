#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/security/architecture.h"

namespace nsbox {

// A row of the table: one system call name, known to at least one architecture.
using SyscallIndex = uint16_t;

// Where the name stands in the table; nothing when no architecture has such a call.
std::optional<SyscallIndex> find_syscall(std::string_view name);
// The call's number there (without the x32 bit); nothing when the architecture does not have it.
std::optional<uint32_t> syscall_number(SyscallIndex call, Architecture architecture);

unsigned syscall_count();
std::string_view syscall_name(SyscallIndex call);

}  // namespace nsbox
