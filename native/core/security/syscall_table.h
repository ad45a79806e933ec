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

// Numbers made dense, so that they can be an array's index: a number itself below kArmPrivateSlot, the
// private calls of 32-bit ARM (0xf0001 to 0xf0006) from there on.
inline constexpr uint32_t kArmPrivateSlot = 1008;
inline constexpr uint32_t kSyscallSlots = 1024;
inline constexpr uint32_t kArmPrivateBase = 0xf0000;
constexpr uint32_t number_of_slot(uint32_t slot) {
  return slot < kArmPrivateSlot ? slot : slot - kArmPrivateSlot + kArmPrivateBase;
}
inline constexpr uint16_t kNoSlot = 0xffff;
// kNoSlot where the architecture does not have the call.
uint16_t syscall_slot(SyscallIndex call, Architecture architecture);

// Which of socketcall's or ipc's functions the call is on an ABI that has those; 0 for any other call.
struct Multiplexed {
  uint8_t socketcall = 0;
  uint8_t ipc = 0;
};
Multiplexed multiplexed(SyscallIndex call);

}  // namespace nsbox
