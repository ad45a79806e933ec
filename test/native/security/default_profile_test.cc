#include "core/security/default_profile.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>

#include "core/security/capabilities.h"
#include "core/security/seccomp_compile.h"
#include "core/security/syscall_table.h"
#include "security/bpf_interpreter.h"
#include "security/seccomp_judge.h"
#include "test.h"

using namespace nsbox;

namespace {

constexpr uint32_t kEperm = SECCOMP_RET_ERRNO | EPERM;
constexpr uint32_t kEnosys = SECCOMP_RET_ERRNO | ENOSYS;

uint32_t answer(uint64_t capabilities, const char* name, test::Arguments arguments = {},
                Architecture architecture = Architecture::kX86_64) {
  auto program = compile_seccomp(default_seccomp_profile({capabilities, Architecture::kX86_64}),
                                 {.native = Architecture::kX86_64});
  const uint32_t number = *syscall_number(*find_syscall(name), architecture);
  return test::run_filter(*program, test::call_data(architecture, number, arguments)).value_or(1);
}

constexpr uint64_t with(unsigned capability) { return uint64_t{1} << capability; }

}  // namespace

TEST("default profile: every name is a system call") {
  for (unsigned a = 0; a < kArchitectures; a++)
    for (const SeccompRule& rule :
         default_seccomp_profile({~uint64_t{0}, static_cast<Architecture>(a)}).syscalls)
      for (const std::string_view name : rule.names) EXPECT(find_syscall(name).has_value());
}

TEST("default profile: what a program needs is allowed") {
  for (const char* name :
       {"read", "openat", "execve", "futex", "mmap", "ptrace", "statx", "mseal", "arch_prctl"})
    EXPECT_EQ(answer(0, name), SECCOMP_RET_ALLOW);
}

TEST("default profile: what reaches beyond the container is refused") {
  for (const char* name :
       {"add_key", "keyctl", "request_key", "kexec_load", "userfaultfd", "io_uring_setup", "mount", "setns",
        "unshare", "bpf", "perf_event_open", "reboot", "init_module", "swapon"})
    EXPECT_EQ(answer(0, name), kEperm);
}

TEST("default profile: a capability brings its calls") {
  EXPECT_EQ(answer(with(CAP_SYS_ADMIN), "mount"), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(with(CAP_SYS_ADMIN), "clone3"), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(with(CAP_SYS_BOOT), "reboot"), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(with(CAP_SYS_CHROOT), "chroot"), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(with(CAP_SYS_TIME), "settimeofday"), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(with(CAP_BPF), "bpf"), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(with(CAP_BPF), "mount"), kEperm);
  for (const char* name : {"keyctl", "kexec_load", "io_uring_setup", "userfaultfd"})
    EXPECT_EQ(answer(~uint64_t{0}, name), kEperm);
}

TEST("default profile: clone makes threads and processes, no namespaces") {
  EXPECT_EQ(answer(0, "clone", {0x3d0f00}), SECCOMP_RET_ALLOW);
  for (const uint64_t flag :
       {0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000})
    EXPECT_EQ(answer(0, "clone", {flag | 17}), kEperm);
  EXPECT_EQ(answer(0, "clone3"), kEnosys);
  EXPECT_EQ(answer(with(CAP_SYS_ADMIN), "clone", {0x20000000}), SECCOMP_RET_ALLOW);
}

TEST("default profile: sockets of families that stay in the container") {
  for (const uint64_t family : {1, 2, 10, 16, 17, 44})
    EXPECT_EQ(answer(0, "socket", {family}), SECCOMP_RET_ALLOW);
  for (const uint64_t family : {12, 38, 40, 46, 1000}) EXPECT_EQ(answer(0, "socket", {family}), kEperm);
  EXPECT_EQ(answer(0, "socket", {uint64_t{1} << 32 | 2}), kEperm);
}

TEST("default profile: personalities that only tell the machine's name") {
  for (const uint64_t value : {0x0, 0x8, 0x20000, 0x20008})
    EXPECT_EQ(answer(0, "personality", {value}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(0, "personality", {0xffffffff}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(0, "personality", {0x0040000}), kEperm);  // ADDR_NO_RANDOMIZE
}

TEST("default profile: old ABIs of the machine are covered") {
  EXPECT_EQ(answer(0, "openat", {}, Architecture::kX86), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(0, "mount", {}, Architecture::kX86), kEperm);
}
