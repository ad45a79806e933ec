#include "core/sys/syscalls.h"

#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

namespace nsbox::sys {

namespace {
constexpr size_t kSignalSetSize = 8;  // The kernel's sigset, not the C library's.
}

Result<UniqueFd> openat(int dir, const char* path, int flags, mode_t mode) {
  return descriptor(call(__NR_openat, dir, path, flags | O_CLOEXEC | O_LARGEFILE, mode));
}
Result<UniqueFd> openat2(int dir, const char* path, uint64_t flags, mode_t mode, uint64_t resolve) {
  open_how how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve};
  // EAGAIN: a rename raced with the walk (openat2(2)); the kernel asks to try again.
  for (int attempt = 0;; attempt++) {
    const long result = call(__NR_openat2, dir, path, &how, sizeof how);
    if (result != -11 || attempt == 128) return descriptor(result);
  }
}
Status close(int fd) { return status(call(__NR_close, fd)); }
Status close_range(unsigned first, unsigned last, unsigned flags) {
  return status(call(__NR_close_range, first, last, flags));
}
Result<size_t> read(int fd, void* buffer, size_t size) {
  return number<size_t>(call(__NR_read, fd, buffer, size));
}
Result<size_t> write(int fd, const void* buffer, size_t size) {
  return number<size_t>(call(__NR_write, fd, buffer, size));
}
Result<size_t> pread(int fd, void* buffer, size_t size, uint64_t offset) {
  return number<size_t>(call(__NR_pread64, fd, buffer, size, offset));
}
Result<size_t> pwrite(int fd, const void* buffer, size_t size, uint64_t offset) {
  return number<size_t>(call(__NR_pwrite64, fd, buffer, size, offset));
}
Result<size_t> copy_file_range(int from, uint64_t* from_at, int to, uint64_t* to_at, size_t size) {
  return number<size_t>(call(__NR_copy_file_range, from, from_at, to, to_at, size, 0));
}
Result<uint64_t> lseek(int fd, int64_t offset, int whence) {
  return number<uint64_t>(call(__NR_lseek, fd, offset, whence));
}
Status ftruncate(int fd, uint64_t size) { return status(call(__NR_ftruncate, fd, size)); }
Result<struct statx> statx(int dir, const char* path, int flags, unsigned mask) {
  struct statx out;
  const long result = call(__NR_statx, dir, path, flags, mask, &out);
  if (failed(result)) return Error(static_cast<int>(-result));
  return out;
}
Status fstatfs(int fd, KernelStatfs& out) { return status(call(__NR_fstatfs, fd, &out)); }
Status statfs(const char* path, KernelStatfs& out) { return status(call(__NR_statfs, path, &out)); }
Status faccessat2(int dir, const char* path, int mode, int flags) {
  return status(call(__NR_faccessat2, dir, path, mode, flags));
}
Status mkdirat(int dir, const char* path, mode_t mode) { return status(call(__NR_mkdirat, dir, path, mode)); }
Status mknodat(int dir, const char* path, mode_t mode, uint64_t device) {
  return status(call(__NR_mknodat, dir, path, mode, device));
}
Status symlinkat(const char* target, int dir, const char* path) {
  return status(call(__NR_symlinkat, target, dir, path));
}
Status linkat(int from_dir, const char* from, int to_dir, const char* to, int flags) {
  return status(call(__NR_linkat, from_dir, from, to_dir, to, flags));
}
Status unlinkat(int dir, const char* path, int flags) {
  return status(call(__NR_unlinkat, dir, path, flags));
}
Status renameat2(int from_dir, const char* from, int to_dir, const char* to, unsigned flags) {
  return status(call(__NR_renameat2, from_dir, from, to_dir, to, flags));
}
Result<size_t> readlinkat(int dir, const char* path, char* buffer, size_t size) {
  return number<size_t>(call(__NR_readlinkat, dir, path, buffer, size));
}
Status fchmod(int fd, mode_t mode) { return status(call(__NR_fchmod, fd, mode)); }
Status fchmodat(int dir, const char* path, mode_t mode) {
  return status(call(__NR_fchmodat, dir, path, mode));
}
Status fchown(int fd, uint32_t user, uint32_t group) { return status(call(__NR_fchown, fd, user, group)); }
Status fchownat(int dir, const char* path, uint32_t user, uint32_t group, int flags) {
  return status(call(__NR_fchownat, dir, path, user, group, flags));
}
Status utimensat(int dir, const char* path, const Times& times, int flags) {
  const int64_t specs[4] = {times.access_seconds, times.access_nanoseconds, times.modify_seconds,
                            times.modify_nanoseconds};
  return status(call(__NR_utimensat, dir, path, specs, flags));
}
Result<size_t> getdents64(int fd, void* buffer, size_t size) {
  return number<size_t>(call(__NR_getdents64, fd, buffer, size));
}
Result<size_t> flistxattr(int fd, char* list, size_t size) {
  return number<size_t>(call(__NR_flistxattr, fd, list, size));
}
Result<size_t> fgetxattr(int fd, const char* name, void* value, size_t size) {
  return number<size_t>(call(__NR_fgetxattr, fd, name, value, size));
}
Status fsetxattr(int fd, const char* name, const void* value, size_t size, int flags) {
  return status(call(__NR_fsetxattr, fd, name, value, size, flags));
}
Status fremovexattr(int fd, const char* name) { return status(call(__NR_fremovexattr, fd, name)); }
Result<size_t> llistxattr(const char* path, char* list, size_t size) {
  return number<size_t>(call(__NR_llistxattr, path, list, size));
}
Result<size_t> lgetxattr(const char* path, const char* name, void* value, size_t size) {
  return number<size_t>(call(__NR_lgetxattr, path, name, value, size));
}
Status lsetxattr(const char* path, const char* name, const void* value, size_t size, int flags) {
  return status(call(__NR_lsetxattr, path, name, value, size, flags));
}
Result<int> fcntl(int fd, int command, long argument) {
  return number<int>(call(__NR_fcntl, fd, command, argument));
}
Result<int> ioctl(int fd, unsigned long request, const void* argument) {
  return number<int>(call(__NR_ioctl, fd, request, argument));
}
Status dup3(int from, int to, int flags) { return status(call(__NR_dup3, from, to, flags)); }
Status pipe2(int (&ends)[2], int flags) { return status(call(__NR_pipe2, &ends[0], flags | O_CLOEXEC)); }
Result<UniqueFd> memfd_create(const char* name, unsigned flags) {
  return descriptor(call(__NR_memfd_create, name, flags | 1U /* MFD_CLOEXEC */));
}
Result<UniqueFd> eventfd(unsigned value, int flags) {
  return descriptor(call(__NR_eventfd2, value, flags | O_CLOEXEC));
}
Result<UniqueFd> inotify_init(int flags) { return descriptor(call(__NR_inotify_init1, flags | O_CLOEXEC)); }
Status inotify_add_watch(int fd, const char* path, uint32_t mask) {
  return status(call(__NR_inotify_add_watch, fd, path, mask));
}
Status chdir(const char* path) { return status(call(__NR_chdir, path)); }
Status fchdir(int fd) { return status(call(__NR_fchdir, fd)); }
Status chroot(const char* path) { return status(call(__NR_chroot, path)); }
Result<size_t> getcwd(char* buffer, size_t size) { return number<size_t>(call(__NR_getcwd, buffer, size)); }
mode_t umask(mode_t mask) { return static_cast<mode_t>(call(__NR_umask, mask)); }
Status flock(int fd, int operation) { return status(call(__NR_flock, fd, operation)); }

Result<UniqueFd> fsopen(const char* type, unsigned flags) {
  return descriptor(call(__NR_fsopen, type, flags | FSOPEN_CLOEXEC));
}
Status fsconfig(int fs, unsigned command, const char* key, const void* value, int aux) {
  return status(call(__NR_fsconfig, fs, command, key, value, aux));
}
Result<UniqueFd> fsmount(int fs, unsigned flags, unsigned attributes) {
  return descriptor(call(__NR_fsmount, fs, flags | FSMOUNT_CLOEXEC, attributes));
}
Result<UniqueFd> open_tree(int dir, const char* path, unsigned flags) {
  return descriptor(call(__NR_open_tree, dir, path, flags | OPEN_TREE_CLOEXEC));
}
Status move_mount(int from_dir, const char* from, int to_dir, const char* to, unsigned flags) {
  return status(call(__NR_move_mount, from_dir, from, to_dir, to, flags));
}
Status mount_setattr(int dir, const char* path, unsigned flags, const mount_attr& attributes) {
  return status(call(__NR_mount_setattr, dir, path, flags, &attributes, sizeof attributes));
}
Status mount(const char* source, const char* target, const char* type, unsigned long flags,
             const void* data) {
  return status(call(__NR_mount, source, target, type, flags, data));
}
Status umount2(const char* target, int flags) { return status(call(__NR_umount2, target, flags)); }
Status syncfs(int fd) { return status(call(__NR_syncfs, fd)); }
Status pivot_root(const char* new_root, const char* put_old) {
  return status(call(__NR_pivot_root, new_root, put_old));
}

Result<pid_t> clone3(clone_args& args) { return number<pid_t>(call(__NR_clone3, &args, sizeof args)); }
Status unshare(uint64_t flags) { return status(call(__NR_unshare, flags)); }
Status setns(int fd, int type) { return status(call(__NR_setns, fd, type)); }
Status sethostname(std::string_view name) { return status(call(__NR_sethostname, name.data(), name.size())); }
Status setdomainname(std::string_view name) {
  return status(call(__NR_setdomainname, name.data(), name.size()));
}
pid_t getpid() { return static_cast<pid_t>(call(__NR_getpid)); }
pid_t getppid() { return static_cast<pid_t>(call(__NR_getppid)); }
pid_t gettid() { return static_cast<pid_t>(call(__NR_gettid)); }
Result<pid_t> setsid() { return number<pid_t>(call(__NR_setsid)); }
Result<UniqueFd> pidfd_open(pid_t pid, unsigned flags) {
  return descriptor(call(__NR_pidfd_open, pid, flags));
}
Status pidfd_send_signal(int pidfd, int signal) {
  return status(call(__NR_pidfd_send_signal, pidfd, signal, nullptr, 0));
}
Result<UniqueFd> pidfd_getfd(int pidfd, int fd) { return descriptor(call(__NR_pidfd_getfd, pidfd, fd, 0)); }
Status kill(pid_t pid, int signal) { return status(call(__NR_kill, pid, signal)); }
Status waitid(int type, int id, void* info, int options, rusage* usage) {
  return status(call(__NR_waitid, type, id, info, options, usage));
}
Result<pid_t> wait4(pid_t pid, int* wait_status, int options, rusage* usage) {
  return number<pid_t>(call(__NR_wait4, pid, wait_status, options, usage));
}
Status execveat(int dir, const char* path, const char* const* argv, const char* const* envp, int flags) {
  return status(call(__NR_execveat, dir, path, argv, envp, flags));
}
void exit(int exit_status) {
  for (;;) call(__NR_exit_group, exit_status);
}
Result<long> prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
  return number<long>(call(__NR_prctl, option, a, b, c, d));
}
Status prlimit(pid_t pid, int resource, const rlimit64* set, rlimit64* get) {
  return status(call(__NR_prlimit64, pid, resource, set, get));
}
Status setpriority(int which, int who, int priority) {
  return status(call(__NR_setpriority, which, who, priority));
}

uint32_t getuid() { return static_cast<uint32_t>(call(__NR_getuid)); }
uint32_t getgid() { return static_cast<uint32_t>(call(__NR_getgid)); }
uint32_t geteuid() { return static_cast<uint32_t>(call(__NR_geteuid)); }
uint32_t getegid() { return static_cast<uint32_t>(call(__NR_getegid)); }
Status setresuid(uint32_t user) { return status(call(__NR_setresuid, user, user, user)); }
Status setresgid(uint32_t group) { return status(call(__NR_setresgid, group, group, group)); }
Status setgroups(const uint32_t* groups, size_t count) { return status(call(__NR_setgroups, count, groups)); }
Status setfsuid(uint32_t user) { return status(call(__NR_setfsuid, user)); }
Status capset(const void* header, const void* data) { return status(call(__NR_capset, header, data)); }
Status capget(void* header, void* data) { return status(call(__NR_capget, header, data)); }
Result<long> seccomp(unsigned operation, unsigned flags, const void* args) {
  return number<long>(call(__NR_seccomp, operation, flags, args));
}
Result<int> bpf(int command, void* attributes, size_t size) {
  return number<int>(call(__NR_bpf, command, attributes, size));
}
Result<long> keyctl(int operation, long a, long b, long c, long d) {
  return number<long>(call(__NR_keyctl, operation, a, b, c, d));
}

Status sigprocmask(int how, uint64_t set, uint64_t* old) {
  return status(call(__NR_rt_sigprocmask, how, &set, old, kSignalSetSize));
}

namespace {
Status set_action(int signal, unsigned long handler) {
  // struct kernel_sigaction: handler, flags, restorer, mask; all zero but the handler on every architecture.
  const unsigned long action[4] = {handler, 0, 0, 0};
  return status(call(__NR_rt_sigaction, signal, action, nullptr, kSignalSetSize));
}
}  // namespace

Status sigdefault(int signal) { return set_action(signal, 0); }
Status sigignore(int signal) { return set_action(signal, 1); }
Result<UniqueFd> signalfd(uint64_t set, int flags) {
  return descriptor(call(__NR_signalfd4, -1, &set, kSignalSetSize, flags | O_CLOEXEC));
}
Result<int> poll(Pollfd* fds, size_t count, int timeout_ms) {
  struct {
    int64_t seconds, nanoseconds;
  } const timeout = {timeout_ms / 1000, static_cast<int64_t>(timeout_ms % 1000) * 1'000'000};
  return number<int>(
      call(__NR_ppoll, fds, count, timeout_ms < 0 ? nullptr : &timeout, nullptr, kSignalSetSize));
}

Result<UniqueFd> socket(int domain, int type, int protocol) {
  return descriptor(call(__NR_socket, domain, type | SOCK_CLOEXEC, protocol));
}
Status socketpair(int domain, int type, int protocol, int (&ends)[2]) {
  return status(call(__NR_socketpair, domain, type | SOCK_CLOEXEC, protocol, &ends[0]));
}
Status bind(int fd, const void* address, size_t size) { return status(call(__NR_bind, fd, address, size)); }
Result<size_t> sendto(int fd, const void* buffer, size_t size, int flags, const void* address,
                      size_t address_size) {
  return number<size_t>(call(__NR_sendto, fd, buffer, size, flags, address, address_size));
}
Status connect(int fd, const void* address, size_t size) {
  return status(call(__NR_connect, fd, address, size));
}
Status listen(int fd, int backlog) { return status(call(__NR_listen, fd, backlog)); }
Result<UniqueFd> accept(int fd) { return descriptor(call(__NR_accept4, fd, nullptr, nullptr, SOCK_CLOEXEC)); }
Result<size_t> recvfrom(int fd, void* buffer, size_t size, int flags) {
  return number<size_t>(call(__NR_recvfrom, fd, buffer, size, flags, nullptr, nullptr));
}
Result<size_t> sendmsg(int fd, const void* header, int flags) {
  return number<size_t>(call(__NR_sendmsg, fd, header, flags));
}
Result<size_t> recvmsg(int fd, void* header, int flags) {
  return number<size_t>(call(__NR_recvmsg, fd, header, flags | MSG_CMSG_CLOEXEC));
}
Status setsockopt(int fd, int level, int name, const void* value, size_t size) {
  return status(call(__NR_setsockopt, fd, level, name, value, size));
}

Result<void*> mmap(size_t size, int protection, int flags, int fd) {
  const long result = call(__NR_mmap, nullptr, size, protection, flags, fd, 0);
  if (failed(result)) return Error(static_cast<int>(-result));
  return reinterpret_cast<void*>(result);
}
Status mmap_over(const void* address, size_t size, int protection, int fd, uint64_t offset) {
  return status(call(__NR_mmap, address, size, protection, MAP_PRIVATE | MAP_FIXED, fd, offset));
}
Status mremap_over(void* from, size_t size, const void* to) {
  constexpr int kMayMove = 1, kFixed = 2;
  return status(call(__NR_mremap, from, size, size, kMayMove | kFixed, to));
}
Status munmap(void* address, size_t size) { return status(call(__NR_munmap, address, size)); }
Status getrandom(void* buffer, size_t size) { return status(call(__NR_getrandom, buffer, size, 0)); }
static uint64_t clock_ns(int clock) {
  struct {
    int64_t seconds, nanoseconds;
  } now = {0, 0};
  call(__NR_clock_gettime, clock, &now);
  return static_cast<uint64_t>(now.seconds) * 1'000'000'000 + static_cast<uint64_t>(now.nanoseconds);
}
uint64_t monotonic_ns() { return clock_ns(CLOCK_MONOTONIC); }
uint64_t realtime_ns() { return clock_ns(CLOCK_REALTIME); }
Status nanosleep(uint64_t nanoseconds) {
  struct {
    uint64_t seconds, nanoseconds;
  } const length = {nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
  return status(call(__NR_nanosleep, &length, nullptr));
}
Status set_mempolicy(int mode, const unsigned long* nodes, unsigned long max_node) {
  return status(call(__NR_set_mempolicy, mode, nodes, max_node));
}
Status sched_setattr(pid_t pid, const SchedAttributes& attributes) {
  return status(call(__NR_sched_setattr, pid, &attributes, 0));
}
Status sched_setaffinity(pid_t pid, const unsigned long* mask, size_t size) {
  return status(call(__NR_sched_setaffinity, pid, size, mask));
}
Status sched_getaffinity(pid_t pid, unsigned long* mask, size_t size) {
  return status(call(__NR_sched_getaffinity, pid, size, mask));
}
Result<unsigned> getcpu() {
  unsigned number = 0;
  TRY(status(call(__NR_getcpu, &number, nullptr, nullptr)));
  return number;
}
Status ioprio_set(int which, int who, int priority) {
  return status(call(__NR_ioprio_set, which, who, priority));
}
Status personality(uint64_t value) { return status(call(__NR_personality, value)); }

}  // namespace nsbox::sys
