#include "core/security/syscall_table.h"

#include <sys/syscall.h>

#include <set>

#include "test.h"

using namespace nsbox;

TEST("system call table: every name is found where it stands") {
  for (unsigned i = 0; i < syscall_count(); i++) {
    const auto call = static_cast<SyscallIndex>(i);
    EXPECT_EQ(find_syscall(syscall_name(call)).value_or(0xffff), call);
    if (i > 0) EXPECT(syscall_name(static_cast<SyscallIndex>(i - 1)) < syscall_name(call));
  }
}

TEST("system call table: what is no call is not found") {
  for (const char* name : {"", "rea", "readd", "READ", "read ", "nosuchcall"}) EXPECT(!find_syscall(name));
}

TEST("system call table: numbers are this kernel's") {
  const auto number = [](const char* name) {
    return syscall_number(*find_syscall(name), kNativeArchitecture);
  };
  EXPECT_EQ(number("read").value_or(0), static_cast<uint32_t>(SYS_read));
  EXPECT_EQ(number("clone3").value_or(0), static_cast<uint32_t>(SYS_clone3));
  EXPECT_EQ(number("openat2").value_or(0), static_cast<uint32_t>(SYS_openat2));
  EXPECT_EQ(number("mseal").value_or(0), 462u);
  EXPECT_EQ(number("file_setattr").value_or(0), 469u);
}

TEST("system call table: architectures differ") {
  const SyscallIndex open = *find_syscall("open");
  EXPECT_EQ(syscall_number(open, Architecture::kX86_64).value_or(0), 2u);
  EXPECT_EQ(syscall_number(open, Architecture::kX86).value_or(0), 5u);
  EXPECT(!syscall_number(open, Architecture::kAarch64));
  EXPECT_EQ(syscall_number(*find_syscall("set_tls"), Architecture::kArm).value_or(0), 0xf0005u);
  EXPECT_EQ(syscall_number(*find_syscall("execve"), Architecture::kX32).value_or(0), 520u);
}

TEST("system call table: no two calls of an architecture share a number but for old names") {
  for (unsigned a = 0; a < kArchitectures; a++) {
    std::set<uint16_t> seen;
    unsigned twice = 0;
    for (unsigned i = 0; i < syscall_count(); i++) {
      const uint16_t slot = syscall_slot(static_cast<SyscallIndex>(i), static_cast<Architecture>(a));
      if (slot != kNoSlot && !seen.insert(slot).second) twice++;
    }
    EXPECT(twice <= 1);  // sync_file_range2 is arm_sync_file_range.
  }
}

TEST("architectures: the spec's names") {
  EXPECT(architecture_of("SCMP_ARCH_X86_64").architecture == Architecture::kX86_64);
  EXPECT(architecture_of("SCMP_ARCH_MIPSEL64N32").known);
  EXPECT(!architecture_of("SCMP_ARCH_MIPSEL64N32").architecture);
  EXPECT(!architecture_of("SCMP_ARCH_PDP11").known);
  for (unsigned a = 0; a < kArchitectures; a++)
    EXPECT(architecture_of(oci_name(static_cast<Architecture>(a))).architecture ==
           static_cast<Architecture>(a));
}
