#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "core/base/error.h"
#include "core/sys/unique_fd.h"

struct clone_args;
struct mount_attr;
struct sock_fprog;
struct rlimit64;
struct rusage;

// One thin function a system call, no libc behind it: each answers a Result with the bare errno, for a caller
// that knows the names to add. Section 2 of the manual documents each under its own name. Descriptors that a
// call makes are close-on-exec always.
namespace nsbox::sys {

inline Status status(long result) {
  if (failed(result)) return Error(static_cast<int>(-result));
  return Ok{};
}
inline Result<UniqueFd> descriptor(long result) {
  if (failed(result)) return Error(static_cast<int>(-result));
  return UniqueFd(static_cast<int>(result));
}
template <typename T>
Result<T> number(long result) {
  if (failed(result)) return Error(static_cast<int>(-result));
  return static_cast<T>(result);
}

// Files. `dir` may be AT_FDCWD.
Result<UniqueFd> openat(int dir, const char* path, int flags, mode_t mode = 0);
inline Result<UniqueFd> open(const char* path, int flags, mode_t mode = 0) {
  return openat(AT_FDCWD, path, flags, mode);
}
// openat2(2) with RESOLVE_* flags.
Result<UniqueFd> openat2(int dir, const char* path, uint64_t flags, mode_t mode, uint64_t resolve);
Status close(int fd);
Status close_range(unsigned first, unsigned last, unsigned flags);
Result<size_t> read(int fd, void* buffer, size_t size);
Result<size_t> write(int fd, const void* buffer, size_t size);
Result<size_t> pread(int fd, void* buffer, size_t size, uint64_t offset);
Result<size_t> pwrite(int fd, const void* buffer, size_t size, uint64_t offset);
Result<size_t> copy_file_range(int from, uint64_t* from_at, int to, uint64_t* to_at, size_t size);
Result<uint64_t> lseek(int fd, int64_t offset, int whence);
Status ftruncate(int fd, uint64_t size);
Result<struct statx> statx(int dir, const char* path, int flags, unsigned mask);
Status fstatfs(int fd, struct KernelStatfs& out);
Status statfs(const char* path, struct KernelStatfs& out);
Status faccessat2(int dir, const char* path, int mode, int flags);
Status mkdirat(int dir, const char* path, mode_t mode);
Status mknodat(int dir, const char* path, mode_t mode, uint64_t device);
Status symlinkat(const char* target, int dir, const char* path);
Status linkat(int from_dir, const char* from, int to_dir, const char* to, int flags);
Status unlinkat(int dir, const char* path, int flags);
Status renameat2(int from_dir, const char* from, int to_dir, const char* to, unsigned flags);
Result<size_t> readlinkat(int dir, const char* path, char* buffer, size_t size);
Status fchmod(int fd, mode_t mode);
Status fchmodat(int dir, const char* path, mode_t mode);
Status fchown(int fd, uint32_t user, uint32_t group);
Status fchownat(int dir, const char* path, uint32_t user, uint32_t group, int flags);
struct Times {
  int64_t access_seconds, access_nanoseconds, modify_seconds, modify_nanoseconds;
};
Status utimensat(int dir, const char* path, const Times& times, int flags);
Result<size_t> getdents64(int fd, void* buffer, size_t size);
Result<size_t> flistxattr(int fd, char* list, size_t size);
Result<size_t> fgetxattr(int fd, const char* name, void* value, size_t size);
Status fsetxattr(int fd, const char* name, const void* value, size_t size, int flags);
Status fremovexattr(int fd, const char* name);
// The l-forms follow no link at the last component; for what cannot be opened (links, devices).
Result<size_t> llistxattr(const char* path, char* list, size_t size);
Result<size_t> lgetxattr(const char* path, const char* name, void* value, size_t size);
Status lsetxattr(const char* path, const char* name, const void* value, size_t size, int flags);
Result<int> fcntl(int fd, int command, long argument);
Result<int> ioctl(int fd, unsigned long request, const void* argument);
Status dup3(int from, int to, int flags);
Status pipe2(int (&ends)[2], int flags);
Result<UniqueFd> memfd_create(const char* name, unsigned flags);
Result<UniqueFd> eventfd(unsigned value, int flags);
Result<UniqueFd> inotify_init(int flags);
Status inotify_add_watch(int fd, const char* path, uint32_t mask);
Status chdir(const char* path);
Status fchdir(int fd);
Status chroot(const char* path);
Result<size_t> getcwd(char* buffer, size_t size);
mode_t umask(mode_t mask);
Status flock(int fd, int operation);

// Mounts: the new calls, and the old one.
Result<UniqueFd> fsopen(const char* type, unsigned flags);
Status fsconfig(int fs, unsigned command, const char* key, const void* value, int aux);
Result<UniqueFd> fsmount(int fs, unsigned flags, unsigned attributes);
Result<UniqueFd> open_tree(int dir, const char* path, unsigned flags);
Status move_mount(int from_dir, const char* from, int to_dir, const char* to, unsigned flags);
Status mount_setattr(int dir, const char* path, unsigned flags, const mount_attr& attributes);
Status mount(const char* source, const char* target, const char* type, unsigned long flags, const void* data);
Status umount2(const char* target, int flags);
Status syncfs(int fd);
Status pivot_root(const char* new_root, const char* put_old);

// Namespaces and processes.
Result<pid_t> clone3(clone_args& args);
Status unshare(uint64_t flags);
Status setns(int fd, int type);
Status sethostname(std::string_view name);
Status setdomainname(std::string_view name);
pid_t getpid();
pid_t getppid();
pid_t gettid();
Result<pid_t> setsid();
Result<UniqueFd> pidfd_open(pid_t pid, unsigned flags);
Status pidfd_send_signal(int pidfd, int signal);
Result<UniqueFd> pidfd_getfd(int pidfd, int fd);
Status kill(pid_t pid, int signal);
// `info`: a siginfo_t, or null.
Status waitid(int type, int id, void* info, int options, rusage* usage);
Result<pid_t> wait4(pid_t pid, int* wait_status, int options, rusage* usage);
Status execveat(int dir, const char* path, const char* const* argv, const char* const* envp, int flags);
[[noreturn]] void exit(int exit_status);
Result<long> prctl(int option, unsigned long a = 0, unsigned long b = 0, unsigned long c = 0,
                   unsigned long d = 0);
Status prlimit(pid_t pid, int resource, const rlimit64* set, rlimit64* get);
Status setpriority(int which, int who, int priority);

// Identity and privilege.
uint32_t getuid();
uint32_t getgid();
uint32_t geteuid();
uint32_t getegid();
Status setresuid(uint32_t user);
Status setresgid(uint32_t group);
Status setgroups(const uint32_t* groups, size_t count);
Status setfsuid(uint32_t user);
Status capset(const void* header, const void* data);
Status capget(void* header, void* data);
Result<long> seccomp(unsigned operation, unsigned flags, const void* args);
Result<int> bpf(int command, void* attributes, size_t size);
Result<long> keyctl(int operation, long a = 0, long b = 0, long c = 0, long d = 0);

// Signals: masks are the kernel's 64 bits, signal n at bit n-1.
Status sigprocmask(int how, uint64_t set, uint64_t* old = nullptr);
Status sigdefault(int signal);
Status sigignore(int signal);
Result<UniqueFd> signalfd(uint64_t set, int flags);
struct Pollfd {
  int fd;
  short events;
  short revents;
};
Result<int> poll(Pollfd* fds, size_t count, int timeout_ms);

// Sockets.
Result<UniqueFd> socket(int domain, int type, int protocol);
Status socketpair(int domain, int type, int protocol, int (&ends)[2]);
Status bind(int fd, const void* address, size_t size);
Status connect(int fd, const void* address, size_t size);
Status listen(int fd, int backlog);
Result<UniqueFd> accept(int fd);
Result<size_t> sendto(int fd, const void* buffer, size_t size, int flags, const void* address,
                      size_t address_size);
Result<size_t> recvfrom(int fd, void* buffer, size_t size, int flags);
Result<size_t> sendmsg(int fd, const void* header, int flags);
Result<size_t> recvmsg(int fd, void* header, int flags);
Status setsockopt(int fd, int level, int name, const void* value, size_t size);

Result<void*> mmap(size_t size, int protection, int flags, int fd);
// Over whatever is mapped there.
Status mmap_over(const void* address, size_t size, int protection, int fd, uint64_t offset);
Status mremap_over(void* from, size_t size, const void* to);
Status munmap(void* address, size_t size);
Status getrandom(void* buffer, size_t size);
// CLOCK_MONOTONIC, in nanoseconds.
uint64_t monotonic_ns();
// CLOCK_REALTIME, in nanoseconds since 1970.
uint64_t realtime_ns();
Status nanosleep(uint64_t nanoseconds);
Status set_mempolicy(int mode, const unsigned long* nodes, unsigned long max_node);
// struct sched_attr, which the C library and the kernel's headers both declare, and not alike.
struct SchedAttributes {
  uint32_t size = 56;
  uint32_t policy = 0;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime = 0, deadline = 0, period = 0;
  uint32_t util_min = 0, util_max = 0;
};
Status sched_setattr(pid_t pid, const SchedAttributes& attributes);
Status sched_setaffinity(pid_t pid, const unsigned long* mask, size_t size);
Status sched_getaffinity(pid_t pid, unsigned long* mask, size_t size);
// The number of the processor that the caller is on.
Result<unsigned> getcpu();
Status ioprio_set(int which, int who, int priority);
Status personality(uint64_t value);

// What statfs(2) fills in; the C library's own struct differs between its feature macros.
struct KernelStatfs {
  long type, block_size;
  uint64_t blocks, blocks_free, blocks_available, files, files_free;
  int fsid[2];
  long name_length, fragment_size, flags, spare[4];
};

}  // namespace nsbox::sys
