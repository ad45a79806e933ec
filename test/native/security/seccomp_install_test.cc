#include "core/security/seccomp_install.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/security/default_profile.h"
#include "core/security/no_new_privs.h"
#include "core/security/seccomp_compile.h"
#include "core/sys/raw.h"
#include "test.h"

using namespace nsbox;

namespace {

// The wait status of a child that puts the profile on itself and runs the body, whose result is its exit
// status.
int status_under(const SeccompProfile& profile, int (*body)()) {
  auto program = compile_seccomp(profile);
  EXPECT(static_cast<bool>(program));
  const pid_t child = fork();
  if (child == 0) {
    if (!set_no_new_privs() || !install_seccomp(*program, install_options(profile))) _exit(99);
    const int result = body();
    sys::raw(__NR_exit_group, result);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

constexpr std::string_view kGetppid[] = {"getppid"};

SeccompProfile getppid_gives(SeccompAction action, std::optional<uint16_t> number = std::nullopt) {
  SeccompProfile profile;
  profile.default_action = SeccompAction::kAllow;
  profile.syscalls.push_back({kGetppid, action, number, {}});
  return profile;
}

int errno_of_getppid() { return static_cast<int>(-sys::raw(__NR_getppid)); }

}  // namespace

TEST("seccomp in the kernel: a call answers the errno of its rule") {
  const int status = status_under(getppid_gives(SeccompAction::kErrno, 42), errno_of_getppid);
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

TEST("seccomp in the kernel: a killing rule kills") {
  const int status = status_under(getppid_gives(SeccompAction::kKillProcess), errno_of_getppid);
  EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

TEST("seccomp in the kernel: the default profile") {
  const SeccompProfile profile = default_seccomp_profile({});
  const int status = status_under(profile, [] {
    if (sys::raw(__NR_getppid) <= 0) return 1;
    if (sys::raw(__NR_keyctl, 0, 0) != -EPERM) return 2;
    if (sys::raw(__NR_unshare, 0x10000000) != -EPERM) return 3;
    if (sys::raw(__NR_clone3, 0, 0) != -ENOSYS) return 4;
    if (sys::raw(__NR_socket, 40, 1, 0) != -EPERM) return 5;
    if (sys::raw(__NR_socket, 38, 5, 0) != -EPERM) return 6;
    const long file = sys::raw(__NR_socket, 1, 1, 0);
    if (file < 0) return 7;
    if (sys::raw(__NR_personality, 0xffffffff) < 0) return 8;
    if (sys::raw(__NR_personality, 0x40000) != -EPERM) return 9;
    if (sys::raw(1000) != -ENOSYS) return 10;
    if (sys::raw(__NR_mount, 0, 0, 0, 0, 0) != -EPERM) return 11;
    return 0;
  });
  EXPECT(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST("seccomp in the kernel: every default profile is taken") {
  for (const uint64_t capabilities : {uint64_t{0}, uint64_t{0xa80425fb}, ~uint64_t{0}}) {
    const int status = status_under(default_seccomp_profile({capabilities}), [] { return 0; });
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
}

TEST("seccomp in the kernel: a notifying rule gives a listener") {
  SeccompProfile profile = getppid_gives(SeccompAction::kNotify);
  auto program = compile_seccomp(profile);
  const pid_t child = fork();
  if (child == 0) {
    auto listener = set_no_new_privs() ? install_seccomp(*program, install_options(profile)) : Error(EIO);
    sys::raw(__NR_exit_group, listener && listener->get() >= 0 ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST("seccomp in the kernel: TSYNC and LOG are taken") {
  SeccompProfile profile = getppid_gives(SeccompAction::kErrno, 7);
  profile.flags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG;
  const int status = status_under(profile, errno_of_getppid);
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

TEST("seccomp in the kernel: the flags that it knows") {
  EXPECT((supported_seccomp_flags() & SECCOMP_FILTER_FLAG_TSYNC) != 0);
  EXPECT((supported_seccomp_flags() & SECCOMP_FILTER_FLAG_SPEC_ALLOW) != 0);
}

TEST("seccomp: the flags are the profile's, SPEC_ALLOW where it has none") {
  SeccompProfile profile;
  EXPECT_EQ(install_options(profile).flags, static_cast<uint32_t>(SECCOMP_FILTER_FLAG_SPEC_ALLOW));
  profile.flags = 0;
  EXPECT_EQ(install_options(profile).flags, 0u);
  EXPECT(!install_options(profile).listener);
}
