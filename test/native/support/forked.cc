#include "support/forked.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <string>
#include <vector>

namespace nsbox::test {
namespace {

void write_text(const char* path, const std::string& text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, text.data(), text.size()) < 0)
    fail(__FILE__, __LINE__, std::string("write ") + path);
  close(fd);
}

void make_private_mounts() {
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777") != 0)
    fail(__FILE__, __LINE__, "make private mounts");
}

}  // namespace

int exit_status_of(pid_t pid) {
  int status = 0;
  if (waitpid(pid, &status, __WALL) != pid) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void in_fork(const std::function<void()>& body) {
  fflush(stdout);
  const pid_t pid = fork();
  if (pid == 0) {
    const int before = failures();
    body();
    fflush(stdout);
    _exit(failures() == before ? 0 : 1);
  }
  const int status = exit_status_of(pid);
  if (status != 0)
    fail(__FILE__, __LINE__, "the forked part to end well; its status was " + std::to_string(status));
}

bool is_privileged() { return geteuid() == 0; }

void become_ordinary() {
  if (setgroups(0, nullptr) != 0 || setresgid(kOrdinaryUser, kOrdinaryUser, kOrdinaryUser) != 0 ||
      setresuid(kOrdinaryUser, kOrdinaryUser, kOrdinaryUser) != 0)
    fail(__FILE__, __LINE__, "become an ordinary user");
  prctl(PR_SET_DUMPABLE, 1);  // Its own /proc/self would belong to root.
}

void in_mount_namespace(const std::function<void()>& body) {
  if (!is_privileged()) return skip("needs root");
  in_fork([&] {
    if (unshare(CLONE_NEWNS) != 0) return fail(__FILE__, __LINE__, "make a mount namespace");
    make_private_mounts();
    body();
  });
}

void in_user_namespace(const std::function<void()>& body) {
  in_fork([&] {
    if (is_privileged()) become_ordinary();
    const std::string user = std::to_string(geteuid()), group = std::to_string(getegid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return fail(__FILE__, __LINE__, "make a user namespace");
    write_text("/proc/self/setgroups", "deny");
    write_text("/proc/self/uid_map", "0 " + user + " 1");
    write_text("/proc/self/gid_map", "0 " + group + " 1");
    make_private_mounts();
    body();
  });
}

void refuse_calls(std::initializer_list<int> numbers, int err) {
  std::vector<sock_filter> program = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (const int number : numbers) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(number), 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(err)));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog filter = {static_cast<unsigned short>(program.size()), program.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
    fail(__FILE__, __LINE__, "install a seccomp filter");
}

}  // namespace nsbox::test
