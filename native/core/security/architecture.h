#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace nsbox {

// The system call ABIs that a filter can tell apart, and whose numbers we know: the columns of syscall_table.
enum class Architecture : uint8_t { kX86_64, kX86, kX32, kArm, kAarch64, kRiscv64, kS390x, kPpc64le };
inline constexpr unsigned kArchitectures = 8;

#if defined(__x86_64__)
inline constexpr Architecture kNativeArchitecture = Architecture::kX86_64;
#elif defined(__aarch64__)
inline constexpr Architecture kNativeArchitecture = Architecture::kAarch64;
#endif

// The bit that marks an x32 call; the kernel gives x32 the same AUDIT_ARCH as x86_64.
inline constexpr uint32_t kX32Bit = 0x40000000;

// AUDIT_ARCH_*, what seccomp_data.arch says.
uint32_t audit_arch(Architecture architecture);
// "SCMP_ARCH_X86_64".
std::string_view oci_name(Architecture architecture);
bool is_big_endian(Architecture architecture);
// Whether a filter looks at the low 32 bits of an argument alone, as libseccomp's do: true of x32 too.
bool has_32_bit_arguments(Architecture architecture);

// The numbers of socketcall(2) and ipc(2), through which an old ABI reaches what has calls of its own
// elsewhere; 0 where there is no such call.
struct MultiplexedCalls {
  uint16_t socketcall = 0;
  uint16_t ipc = 0;
};
MultiplexedCalls multiplexed_calls(Architecture architecture);

// What the runtime-spec's SCMP_ARCH_* name stands for. `known` without an `architecture` is a real one that
// we have no table for (SCMP_ARCH_MIPS): no kernel that we run on has such calls.
struct NamedArchitecture {
  bool known = false;
  std::optional<Architecture> architecture;
};
NamedArchitecture architecture_of(std::string_view oci_name);

}  // namespace nsbox
