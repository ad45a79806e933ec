#include "core/security/architecture.h"

#include <linux/audit.h>

#include <array>

namespace nsbox {

namespace {

struct Facts {
  std::string_view oci_name;
  uint32_t audit_arch;
  bool big_endian;
  bool words_of_32_bits;
  uint16_t socketcall;
  uint16_t ipc;
};

// In the order of the enumeration.
constexpr std::array<Facts, kArchitectures> kFacts{{
    {"SCMP_ARCH_X86_64", AUDIT_ARCH_X86_64, false, false, 0, 0},
    {"SCMP_ARCH_X86", AUDIT_ARCH_I386, false, true, 102, 117},
    {"SCMP_ARCH_X32", AUDIT_ARCH_X86_64, false, true, 0, 0},
    {"SCMP_ARCH_ARM", AUDIT_ARCH_ARM, false, true, 0, 0},
    {"SCMP_ARCH_AARCH64", AUDIT_ARCH_AARCH64, false, false, 0, 0},
    {"SCMP_ARCH_RISCV64", AUDIT_ARCH_RISCV64, false, false, 0, 0},
    {"SCMP_ARCH_S390X", AUDIT_ARCH_S390X, true, false, 102, 117},
    {"SCMP_ARCH_PPC64LE", AUDIT_ARCH_PPC64LE, false, false, 102, 117},
}};

// The spec's other names.
constexpr std::array<std::string_view, 15> kWithoutTable{
    "SCMP_ARCH_MIPS",     "SCMP_ARCH_MIPS64",      "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL",
    "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",       "SCMP_ARCH_PPC64",
    "SCMP_ARCH_S390",     "SCMP_ARCH_PARISC",      "SCMP_ARCH_PARISC64",  "SCMP_ARCH_LOONGARCH64",
    "SCMP_ARCH_M68K",     "SCMP_ARCH_SH",          "SCMP_ARCH_SHEB",
};

const Facts& facts(Architecture architecture) { return kFacts[static_cast<size_t>(architecture)]; }

}  // namespace

uint32_t audit_arch(Architecture architecture) { return facts(architecture).audit_arch; }
std::string_view oci_name(Architecture architecture) { return facts(architecture).oci_name; }
bool is_big_endian(Architecture architecture) { return facts(architecture).big_endian; }
bool has_32_bit_arguments(Architecture architecture) { return facts(architecture).words_of_32_bits; }

MultiplexedCalls multiplexed_calls(Architecture architecture) {
  return {facts(architecture).socketcall, facts(architecture).ipc};
}

NamedArchitecture architecture_of(std::string_view name) {
  for (unsigned i = 0; i < kArchitectures; i++)
    if (kFacts[i].oci_name == name) return {true, static_cast<Architecture>(i)};
  for (const std::string_view other : kWithoutTable)
    if (other == name) return {true, std::nullopt};
  return {};
}

}  // namespace nsbox
