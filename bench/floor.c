// floor: the kernel's part of one container life, in straight C: the yardstick for ours. See floor.md.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// <sys/mount.h> and <linux/mount.h> do not live together in every glibc.
#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

enum { kMaxHierarchies = 12, kStackSize = 64 * 1024, kMaxMarks = 32, kPath = 512 };

// ---- System calls: raw, because a child that shares our memory shares our errno. ----

static inline long sys6(long n, long a, long b, long c, long d, long e, long f) {
#if defined(__x86_64__)
  long ret;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(ret)
                   : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return ret;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = n;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
#else
#error "floor.c knows x86-64 and arm64"
#endif
}
#define SYS_CHOOSE(_0, _1, _2, _3, _4, _5, _6, count, ...) count
#define SYS0(n) sys6(n, 0, 0, 0, 0, 0, 0)
#define SYS1(n, a) sys6(n, (long)(a), 0, 0, 0, 0, 0)
#define SYS2(n, a, b) sys6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define SYS3(n, a, b, c) sys6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define SYS4(n, a, b, c, d) sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define SYS5(n, a, b, c, d, e) sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define SYS6(n, a, b, c, d, e, f) sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define SYS(...) SYS_CHOOSE(__VA_ARGS__, SYS6, SYS5, SYS4, SYS3, SYS2, SYS1, SYS0)(__VA_ARGS__)

// clone3, with the child calling fn(arg), which does not return, on the stack that args name.
static long clone3_call(struct clone_args* args, void (*fn)(void*), void* arg) {
#if defined(__x86_64__)
  long ret;
  register void* r12 __asm__("r12") = (void*)fn;
  register void* r13 __asm__("r13") = arg;
  __asm__ volatile(
      "syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\txor %%ebp, %%ebp\n\tmov %%r13, %%rdi\n\tcall "
      "*%%r12\n\tud2\n1:"
      : "=a"(ret)
      : "a"((long)SYS_clone3), "D"(args), "S"(sizeof *args), "r"(r12), "r"(r13)
      : "rcx", "r11", "memory");
  return ret;
#else
  register long x8 __asm__("x8") = SYS_clone3;
  register long x0 __asm__("x0") = (long)args;
  register long x1 __asm__("x1") = sizeof *args;
  register void* x19 __asm__("x19") = (void*)fn;
  register void* x20 __asm__("x20") = arg;
  __asm__ volatile("svc 0\n\tcbnz x0, 1f\n\tmov x0, x20\n\tblr x19\n\tbrk 0\n1:"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x19), "r"(x20)
                   : "memory", "x30");
  return x0;
#endif
}

// ---- What was asked for, and what follows from it. ----

struct hierarchy {
  char name[32];
  char parent[kPath];  // The group below which each life makes its own.
  int parent_fd;
  int made_parent;
  const char* limit_file;
  const char* limit;
};

static struct {
  const char* rootfs;  // NULL: --host
  struct hierarchy hierarchies[kMaxHierarchies];
  int hierarchy_count;
  int cgroup2;  // The one hierarchy is v2.
  int userns, mount_cgroup, pipes, trace, versus, samples;
  int lives, warmups, at_once, gap_ms;
  char** argv;
  struct sock_fprog seccomp;
} want = {.pipes = 1, .lives = 100, .warmups = 10, .at_once = 1};

// The alternatives that lost, and what one step is worth: kept so that the comparison can be repeated
// (--alt a,b; --vs a,b for every second life).
struct alternatives {
  int fork, vfork, newmount, procs, overlap, lateumount, remount, masktmpfs;
  int nonet, noipc, noumount, keepbounding, unsharenet, nocgroupns;
};
static struct alternatives alt, choices[2];

static char run_dir[] = "/tmp/floor.XXXXXX";
static char new_root[kPath], cwd[kPath], cwd_target[2 * kPath];
static char upper[kPath], work[kPath], cwd_upper[kPath], cwd_work[kPath];
static char uid_map[32], gid_map[32];
static int own_pidfd, epoll_fd = -1;
static volatile sig_atomic_t stopped;

struct mark {
  const char* step;
  int64_t ns;
};

// One life in flight. The child writes here too: it shares our memory until it executes.
struct slot {
  int busy;
  pid_t pid;
  int pidfd, out, err;  // Our ends.
  int child_out, child_err;
  int open_ends;
  char group[32];
  int groups_made;
  int64_t began;
  char* stack;
  const char* failed_step;
  long failed_errno;
  uint32_t ready;  // futex: what the child waits for has been done
  struct mark child_marks[kMaxMarks], parent_marks[kMaxMarks];
  int child_mark_count, parent_mark_count;
};
static struct slot* slots;

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline void mark_child(struct slot* s, const char* step) {
  if (want.trace) s->child_marks[s->child_mark_count++] = (struct mark){step, now()};
}

static inline void mark_parent(struct slot* s, const char* step) {
  if (want.trace) s->parent_marks[s->parent_mark_count++] = (struct mark){step, now()};
}

// ---- The child. No libc beyond string.h, no allocation. ----

static void child_failed(struct slot* s, const char* step, long result) {
  s->failed_step = step;
  s->failed_errno = -result;
  SYS(SYS_exit_group, 111);
  __builtin_unreachable();
}

#define MUST(step, call)                               \
  ({                                                   \
    const long result_ = (call);                       \
    if (result_ < 0) child_failed(s, (step), result_); \
    result_;                                           \
  })

struct filesystem {
  const char* type;
  const char* target;
  unsigned attributes;        // MOUNT_ATTR_*
  const char* options[5][2];  // {key, value}…
  const char* data;           // The same for mount(2).
};

static unsigned long flags_of(unsigned attributes) {
  unsigned long flags = 0;
  if (attributes & MOUNT_ATTR_RDONLY) flags |= 1;  // MS_RDONLY
  if (attributes & MOUNT_ATTR_NOSUID) flags |= 2;  // MS_NOSUID
  if (attributes & MOUNT_ATTR_NODEV) flags |= 4;   // MS_NODEV
  if (attributes & MOUNT_ATTR_NOEXEC) flags |= 8;  // MS_NOEXEC
  return flags;
}
enum { kRemount = 32, kBind = 4096, kRec = 16384, kPrivate = 1 << 18 };

static void mount_new(struct slot* s, const struct filesystem* f) {
  const long fs = MUST(f->type, SYS(SYS_fsopen, f->type, FSOPEN_CLOEXEC));
  for (int i = 0; f->options[i][0]; i++)
    MUST(f->options[i][0], SYS(SYS_fsconfig, fs, f->options[i][1] ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
                               f->options[i][0], f->options[i][1], 0));
  MUST(f->target, SYS(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, 0, 0, 0));
  const long mnt = MUST(f->target, SYS(SYS_fsmount, fs, FSMOUNT_CLOEXEC, f->attributes));
  MUST(f->target, SYS(SYS_move_mount, mnt, "", AT_FDCWD, f->target, MOVE_MOUNT_F_EMPTY_PATH));
  // Both descriptors close on exec.
}

static void mount_filesystem(struct slot* s, const struct filesystem* f) {
  if (alt.newmount)
    mount_new(s, f);
  else
    MUST(f->target, SYS(SYS_mount, f->type, f->target, f->type, flags_of(f->attributes), f->data));
}

// Returns 0 if there is no such target.
static int bind_over(struct slot* s, const char* source, const char* target) {
  const long result = SYS(SYS_mount, source, target, 0, kBind, 0);
  if (result == -ENOENT) return 0;
  MUST(target, result);
  return 1;
}

enum {
  kSafe = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
  kSafeReadOnly = kSafe | MOUNT_ATTR_RDONLY,
};

static void mount_overlay(struct slot* s, const char* lower, const char* up, const char* wk,
                          const char* target) {
  char data[4 * kPath];
  struct filesystem f = {
      "overlay", target, 0, {{"lowerdir", lower}, {"upperdir", up}, {"workdir", wk}}, data};
  if (want.userns) f.options[3][0] = "userxattr";
  if (!alt.newmount) {
    char* end = stpcpy(stpcpy(data, "lowerdir="), lower);
    end = stpcpy(stpcpy(end, ",upperdir="), up);
    end = stpcpy(stpcpy(end, ",workdir="), wk);
    if (want.userns) stpcpy(end, ",userxattr");
  }
  mount_filesystem(s, &f);
}

static void make_directories(struct slot* s, char* path, size_t from) {
  for (char* p = path + from; (p = strchr(p + 1, '/'));) {
    *p = 0;
    const long made = SYS(SYS_mkdirat, AT_FDCWD, path, 0755);
    *p = '/';
    if (made != -EEXIST) MUST(path, made);
  }
  const long made = SYS(SYS_mkdirat, AT_FDCWD, path, 0755);
  if (made != -EEXIST) MUST(path, made);
}

static void make_root(struct slot* s) {
  static const struct filesystem scratch = {
      "tmpfs", run_dir, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, {{"mode", "755"}}, "mode=755"};
  MUST("make mounts private", SYS(SYS_mount, 0, "/", 0, kRec | kPrivate, 0));
  mark_child(s, "mounts private");
  mount_filesystem(s, &scratch);
  MUST("upper", SYS(SYS_mkdirat, AT_FDCWD, upper, 0755));
  MUST("work", SYS(SYS_mkdirat, AT_FDCWD, work, 0755));
  if (!want.rootfs) {
    MUST("root", SYS(SYS_mkdirat, AT_FDCWD, new_root, 0755));
    MUST("cwd upper", SYS(SYS_mkdirat, AT_FDCWD, cwd_upper, 0755));
    MUST("cwd work", SYS(SYS_mkdirat, AT_FDCWD, cwd_work, 0755));
  }
  mark_child(s, "scratch tmpfs");
  mount_overlay(s, want.rootfs ? want.rootfs : "/", upper, work, new_root);
  mark_child(s, "overlay root");
  if (want.rootfs) return;
  static const char* const hidden[] = {"/tmp", "/run", "/home", "/root"};
  static const char* const modes[] = {"1777", "755", "755", "700"};
  static const char* const data[] = {"mode=1777", "mode=755", "mode=755", "mode=700"};
  char target[2 * kPath];
  for (int i = 0; i < 4; i++) {
    stpcpy(stpcpy(target, new_root), hidden[i]);
    struct filesystem f = {
        "tmpfs", target, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, {{"mode", modes[i]}}, data[i]};
    mount_filesystem(s, &f);
  }
  mark_child(s, "host: 4 tmpfs");
  if (!cwd[1]) return;  // It is /, which is there.
  make_directories(s, strcpy(target, cwd_target), strlen(new_root));
  mount_overlay(s, cwd, cwd_upper, cwd_work, cwd_target);
  mark_child(s, "host: overlay of cwd");
}

static void mount_proc(struct slot* s) {
  static const struct filesystem read_only = {"proc", "/proc", kSafeReadOnly, {{0}}, 0};
  static const struct filesystem writable = {"proc", "/proc", kSafe, {{0}}, 0};
  static const char* const paths[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                      "/proc/sysrq-trigger"};
  // A bind inherits its source's flags: mount read-only, bind each path over itself, then let /proc be
  // written: six calls in place of ten.
  mount_filesystem(s, alt.remount ? &writable : &read_only);
  mark_child(s, "proc");
  for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
    if (bind_over(s, paths[i], paths[i]) && alt.remount)
      MUST(paths[i], SYS(SYS_mount, 0, paths[i], 0, kRemount | kBind | flags_of(kSafeReadOnly), 0));
  }
  if (!alt.remount) MUST("/proc", SYS(SYS_mount, 0, "/proc", 0, kRemount | kBind | flags_of(kSafe), 0));
  mark_child(s, "read-only paths");
}

static const struct {
  const char* path;
  unsigned device;
} nodes[] = {{"/dev/null", 0x103},   {"/dev/zero", 0x105},    {"/dev/full", 0x107},
             {"/dev/random", 0x108}, {"/dev/urandom", 0x109}, {"/dev/tty", 0x500}};

static void mount_dev(struct slot* s, long old_root) {
  static const struct filesystem dev = {
      "tmpfs", "/dev", MOUNT_ATTR_NOSUID, {{"mode", "755"}, {"size", "65536k"}}, "mode=755,size=65536k"};
  static const struct filesystem pts = {"devpts",
                                        "/dev/pts",
                                        MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
                                        {{"ptmxmode", "0666"}, {"mode", "0620"}, {"gid", "5"}},
                                        "ptmxmode=0666,mode=0620,gid=5"};
  static const struct filesystem pts_userns = {"devpts",
                                               "/dev/pts",
                                               MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
                                               {{"ptmxmode", "0666"}, {"mode", "0620"}},
                                               "ptmxmode=0666,mode=0620"};
  static const struct filesystem shm = {
      "tmpfs", "/dev/shm", kSafe, {{"mode", "1777"}, {"size", "65536k"}}, "mode=1777,size=65536k"};
  static const struct filesystem mqueue = {"mqueue", "/dev/mqueue", kSafe, {{0}}, 0};
  static const char* const links[][2] = {{"/proc/self/fd", "/dev/fd"},
                                         {"/proc/self/fd/0", "/dev/stdin"},
                                         {"/proc/self/fd/1", "/dev/stdout"},
                                         {"/proc/self/fd/2", "/dev/stderr"},
                                         {"pts/ptmx", "/dev/ptmx"}};
  mount_filesystem(s, &dev);
  mark_child(s, "/dev tmpfs");
  for (int i = 0; i < 6; i++) {
    if (want.userns) {  // No mknod there: bind the host's.
      char source[64] = "dev/";
      strcat(source, nodes[i].path + 5);
      MUST(nodes[i].path, SYS(SYS_mknodat, AT_FDCWD, nodes[i].path, S_IFREG | 0666, 0));
      const long tree =
          MUST(nodes[i].path, SYS(SYS_open_tree, old_root, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
      MUST(nodes[i].path, SYS(SYS_move_mount, tree, "", AT_FDCWD, nodes[i].path, MOVE_MOUNT_F_EMPTY_PATH));
    } else {
      MUST(nodes[i].path, SYS(SYS_mknodat, AT_FDCWD, nodes[i].path, S_IFCHR | 0666, nodes[i].device));
    }
  }
  for (int i = 0; i < 5; i++) MUST(links[i][1], SYS(SYS_symlinkat, links[i][0], AT_FDCWD, links[i][1]));
  MUST("/dev/pts", SYS(SYS_mkdirat, AT_FDCWD, "/dev/pts", 0755));
  MUST("/dev/shm", SYS(SYS_mkdirat, AT_FDCWD, "/dev/shm", 0755));
  MUST("/dev/mqueue", SYS(SYS_mkdirat, AT_FDCWD, "/dev/mqueue", 0755));
  mark_child(s, "/dev nodes, links");
  mount_filesystem(s, want.userns ? &pts_userns : &pts);
  mark_child(s, "/dev/pts");
  mount_filesystem(s, &shm);
  mark_child(s, "/dev/shm");
  mount_filesystem(s, &mqueue);
  mark_child(s, "/dev/mqueue");
}

static void mask_paths(struct slot* s) {
  static const char* const directories[] = {"/proc/acpi", "/proc/asound", "/proc/scsi", "/sys/firmware",
                                            "/sys/devices/virtual/powercap"};
  static const char* const files[] = {"/proc/interrupts",    "/proc/kcore",      "/proc/keys",
                                      "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
                                      "/proc/sched_debug"};
  for (unsigned i = 0; i < sizeof files / sizeof *files; i++) bind_over(s, "/dev/null", files[i]);
  mark_child(s, "masked files");
  // sysfs is read-only here and keeps an empty directory for cgroups: no file system of its own is needed.
  const char* empty = "/sys/fs/cgroup";
  for (unsigned i = 0; i < sizeof directories / sizeof *directories; i++) {
    if (alt.masktmpfs) {
      const long result = SYS(SYS_mount, "tmpfs", directories[i], "tmpfs", flags_of(kSafeReadOnly), 0);
      if (result != -ENOENT) MUST(directories[i], result);
    } else {
      bind_over(s, empty, directories[i]);
    }
  }
  mark_child(s, "masked directories");
}

static void mount_cgroups(struct slot* s) {
  static const struct filesystem v2 = {"cgroup2", "/sys/fs/cgroup", kSafeReadOnly, {{0}}, 0};
  static const struct filesystem v1 = {"tmpfs", "/sys/fs/cgroup", kSafe, {{"mode", "755"}}, "mode=755"};
  if (want.cgroup2) {
    mount_filesystem(s, &v2);
  } else {
    mount_filesystem(s, &v1);
    for (int i = 0; i < want.hierarchy_count; i++) {
      const char* name = want.hierarchies[i].name;
      char target[kPath];
      stpcpy(stpcpy(target, "/sys/fs/cgroup/"), name);
      MUST(target, SYS(SYS_mkdirat, AT_FDCWD, target, 0755));
      struct filesystem f = {"cgroup", target, kSafeReadOnly, {{name, 0}}, name};
      mount_filesystem(s, &f);
    }
  }
  mark_child(s, "cgroup mounts");
}

static void write_file(struct slot* s, int dir, const char* path, const char* text) {
  const long fd = MUST(path, SYS(SYS_openat, dir, path, O_WRONLY | O_CLOEXEC, 0));
  MUST(path, SYS(SYS_write, fd, text, strlen(text)));
}

static void join_cgroups(struct slot* s) {
  // A thread that moves only itself ("0" to v1's tasks) needs no lock over all forks, and so no grace period.
  if (!want.cgroup2 && !alt.procs) {
    for (int i = 0; i < want.hierarchy_count; i++) {
      char path[64];
      stpcpy(stpcpy(path, s->group), "/tasks");
      write_file(s, want.hierarchies[i].parent_fd, path, "0");
    }
    mark_child(s, "join cgroups");
  }
  if (!alt.nocgroupns) {
    MUST("unshare cgroup namespace", SYS(SYS_unshare, CLONE_NEWCGROUP));
    mark_child(s, "cgroup namespace");
  }
}

static void loopback_up(struct slot* s) {
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
  const long fd = MUST("socket", SYS(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  MUST("loopback up", SYS(SYS_ioctl, fd, SIOCSIFFLAGS, &request));
  MUST("close", SYS(SYS_close, fd));
}

static void drop_privileges(struct slot* s) {
  // Docker's fourteen.
  static const unsigned kept[] = {0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31};
  unsigned mask = 0;
  for (unsigned i = 0; i < 14; i++) mask |= 1u << kept[i];
  for (int cap = 0; cap < 64 && !alt.keepbounding; cap++) {
    if (cap < 32 && mask & 1u << cap) continue;
    const long result = SYS(SYS_prctl, PR_CAPBSET_DROP, cap, 0, 0, 0);
    if (result == -EINVAL) break;  // Past the last one.
    MUST("drop from bounding set", result);
  }
  mark_child(s, "bounding set");
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{mask, mask, 0}, {0, 0, 0}};
  MUST("capset", SYS(SYS_capset, &header, data));
  MUST("no_new_privs", SYS(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  MUST("seccomp", SYS(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &want.seccomp));
  mark_child(s, "capset, nnp, seccomp");
}

static void wait_until_ready(struct slot* s) {
  while (!__atomic_load_n(&s->ready, __ATOMIC_ACQUIRE)) SYS(SYS_futex, &s->ready, FUTEX_WAIT, 0, 0, 0, 0);
  mark_child(s, "wait for parent");
}

static void detach_old_root(struct slot* s) {
  if (!alt.noumount) MUST("detach the old root", SYS(SYS_umount2, ".", MNT_DETACH));
  mark_child(s, "detach old root");
}

static void child(void* arg) {
  static char* const environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 0};
  struct slot* s = arg;
  long old_root = -1;
  mark_child(s, "clone");
  if (want.pipes) {
    MUST("stdout", SYS(SYS_dup3, s->child_out, 1, 0));
    MUST("stderr", SYS(SYS_dup3, s->child_err, 2, 0));
  }
  if (want.userns) {
    write_file(s, AT_FDCWD, "/proc/self/setgroups", "deny");
    write_file(s, AT_FDCWD, "/proc/self/uid_map", uid_map);
    write_file(s, AT_FDCWD, "/proc/self/gid_map", gid_map);
    old_root = MUST("open /", SYS(SYS_openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
    mark_child(s, "id maps");
  }
  if (!alt.overlap && !alt.procs) join_cgroups(s);
  if (alt.unsharenet) {
    MUST("unshare net", SYS(SYS_unshare, CLONE_NEWNET));
    mark_child(s, "unshare net");
  }
  make_root(s);
  MUST("enter the root", SYS(SYS_chdir, new_root));
  MUST("pivot_root", SYS(SYS_pivot_root, ".", "."));
  mark_child(s, "pivot_root");
  // What userns may mount of proc and sysfs depends on the old root's being there still.
  if (!want.userns && !alt.lateumount) detach_old_root(s);
  mount_proc(s);
  mount_dev(s, old_root);
  if (alt.procs || alt.overlap) {
    wait_until_ready(s);
    if (alt.overlap) {
      MUST("setns net", SYS(SYS_setns, own_pidfd, CLONE_NEWNET));
      mark_child(s, "setns net");
    }
    join_cgroups(s);
  }
  static const struct filesystem sysfs = {"sysfs", "/sys", kSafeReadOnly, {{0}}, 0};
  mount_filesystem(s, &sysfs);
  mark_child(s, "sysfs");
  mask_paths(s);
  if (want.mount_cgroup) mount_cgroups(s);
  if (want.userns || alt.lateumount) detach_old_root(s);
  MUST("sethostname", SYS(SYS_sethostname, "floor", 5));
  if (!alt.overlap && !alt.nonet) loopback_up(s);
  mark_child(s, "hostname, loopback");
  if (!want.rootfs) MUST("chdir", SYS(SYS_chdir, cwd));
  drop_privileges(s);
  MUST(want.argv[0], SYS(SYS_execve, want.argv[0], want.argv, environment));
}

// ---- The parent. ----

static void remove_group(int parent_fd, const char* name) {
  // A dying task may still be counted for a moment.
  for (int tries = 0; unlinkat(parent_fd, name, AT_REMOVEDIR) && errno == EBUSY && tries < 1000; tries++)
    usleep(1000);
}

static void clean_up(void) {
  for (int i = 0; slots && i < want.at_once; i++) {
    struct slot* s = &slots[i];
    if (s->pid > 0) {
      kill(s->pid, SIGKILL);
      waitid(P_PID, (id_t)s->pid, NULL, WEXITED);
    }
    for (int h = 0; s->busy && h < want.hierarchy_count; h++)
      remove_group(want.hierarchies[h].parent_fd, s->group);
  }
  for (int h = 0; h < want.hierarchy_count; h++)
    if (want.hierarchies[h].made_parent) remove_group(AT_FDCWD, want.hierarchies[h].parent);
  rmdir(run_dir);
}

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char* format, ...) {
  const int saved = errno;
  va_list args;
  va_start(args, format);
  fprintf(stderr, "floor: ");
  vfprintf(stderr, format, args);
  fprintf(stderr, saved ? ": %s\n" : "\n", strerror(saved));
  clean_up();
  exit(1);
}

static long must(const char* what, long result) {
  if (result < 0) die("%s", what);
  return result;
}

static void write_group_file(struct slot* s, const struct hierarchy* h, const char* file, const char* text) {
  char path[96];
  stpcpy(stpcpy(stpcpy(path, s->group), "/"), file);
  const int fd = (int)must(path, openat(h->parent_fd, path, O_WRONLY | O_CLOEXEC));
  must(path, write(fd, text, strlen(text)));
  must(path, close(fd));
}

static void make_groups(struct slot* s) {
  for (int i = 0; i < want.hierarchy_count; i++) {
    const struct hierarchy* h = &want.hierarchies[i];
    must("make a cgroup", mkdirat(h->parent_fd, s->group, 0755));
    if (h->limit_file) write_group_file(s, h, h->limit_file, h->limit);
  }
  if (want.hierarchy_count) mark_parent(s, "make cgroups");
}

static void release(struct slot* s) {
  __atomic_store_n(&s->ready, 1, __ATOMIC_RELEASE);
  SYS(SYS_futex, &s->ready, FUTEX_WAKE, 1, 0, 0, 0);
}

static void start_life(struct slot* s) {
  static unsigned serial;
  int out[2] = {-1, -1}, err[2] = {-1, -1}, group_fd = -1;
  s->failed_step = NULL;
  s->ready = 0;
  s->child_mark_count = s->parent_mark_count = 0;
  snprintf(s->group, sizeof s->group, "floor.%d.%u", getpid(), serial++);
  s->busy = 1;
  s->began = now();
  if (!alt.overlap) make_groups(s);
  if (want.pipes) {
    must("pipe", pipe2(out, O_CLOEXEC));
    must("pipe", pipe2(err, O_CLOEXEC));
  }
  s->out = out[0], s->err = err[0], s->child_out = out[1], s->child_err = err[1];
  s->open_ends = want.pipes ? 2 : 0;
  struct clone_args args = {.exit_signal = SIGCHLD};
  args.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS;
  if (!alt.noipc) args.flags |= CLONE_NEWIPC;
  if (!alt.overlap && !alt.nonet && !alt.unsharenet) args.flags |= CLONE_NEWNET;
  if (want.userns) args.flags |= CLONE_NEWUSER;
  if (want.at_once > 1) {
    args.flags |= CLONE_PIDFD;
    args.pidfd = (uint64_t)(uintptr_t)&s->pidfd;
  }
  if (!alt.fork) {
    args.flags |= CLONE_VM | (alt.vfork ? CLONE_VFORK : 0);
    args.stack = (uint64_t)(uintptr_t)s->stack;
    args.stack_size = kStackSize;
  }
  if (want.cgroup2 && !alt.procs) {
    group_fd = (int)must(s->group,
                         openat(want.hierarchies[0].parent_fd, s->group, O_PATH | O_DIRECTORY | O_CLOEXEC));
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = (uint64_t)group_fd;
  }
  mark_parent(s, "pipes");
  const long pid = clone3_call(&args, child, s);
  if (pid < 0) {
    errno = (int)-pid;
    die("clone3");
  }
  s->pid = (pid_t)pid;
  mark_parent(s, "clone3 in parent");
  if (group_fd >= 0) close(group_fd);
  if (want.pipes) {
    close(out[1]);
    close(err[1]);
  }
  if (alt.overlap) {
    make_groups(s);
    must("unshare net", SYS(SYS_unshare, CLONE_NEWNET));
    loopback_up(s);
    mark_parent(s, "parent's net");
    release(s);
  } else if (alt.procs) {
    char text[16];
    snprintf(text, sizeof text, "%d", s->pid);
    for (int i = 0; i < want.hierarchy_count; i++)
      write_group_file(s, &want.hierarchies[i], "cgroup.procs", text);
    mark_parent(s, "attach by parent");
    release(s);
  }
}

// Reads once what is there; closes at the end of file. Does nothing when that was done before.
static void drain(struct slot* s, int* fd) {
  if (*fd < 0) return;
  char buffer[65536];
  const ssize_t got = read(*fd, buffer, sizeof buffer);
  if (got > 0 || (got < 0 && errno == EINTR)) return;
  must("read from the child", got);
  // A child cloned meanwhile still holds the file: closing alone does not take it off the list.
  if (epoll_fd >= 0) must("epoll_ctl", epoll_ctl(epoll_fd, EPOLL_CTL_DEL, *fd, NULL));
  close(*fd);
  *fd = -1;
  s->open_ends--;
}

// Waits for the child's end and removes its groups; returns the life's length in ns.
static int64_t finish_life(struct slot* s) {
  siginfo_t info;
  while (waitid(P_PID, (id_t)s->pid, &info, WEXITED)) {
    if (errno != EINTR) die("waitid");
    if (stopped) die("interrupted");
  }
  s->pid = 0;
  mark_parent(s, "teardown until wait");
  for (int i = 0; i < want.hierarchy_count; i++)
    must("remove a cgroup", unlinkat(want.hierarchies[i].parent_fd, s->group, AT_REMOVEDIR));
  if (want.hierarchy_count) mark_parent(s, "remove cgroups");
  const int64_t length = now() - s->began;
  s->busy = 0;
  if (s->failed_step) {
    errno = (int)s->failed_errno;
    die("in the child: %s", s->failed_step);
  }
  errno = 0;
  if (info.si_code != CLD_EXITED || info.si_status) die("the program ended with status %d", info.si_status);
  return length;
}

static int64_t one_life(struct slot* s) {
  start_life(s);
  while (s->open_ends) {
    struct pollfd fds[2] = {{s->out, POLLIN, 0}, {s->err, POLLIN, 0}};
    if (poll(fds, 2, -1) < 0 && errno != EINTR) die("poll");
    if (stopped) die("interrupted");
    if (fds[0].revents) drain(s, &s->out);
    if (fds[1].revents) drain(s, &s->err);
  }
  mark_parent(s, "child until EOF");
  return finish_life(s);
}

static void watch(int fd, uint32_t index, uint32_t which) {
  struct epoll_event event = {EPOLLIN | (which == 2 ? EPOLLONESHOT : 0),
                              {.u64 = (uint64_t)index << 2 | which}};
  must("epoll_ctl", epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event));
}

static void many_lives(int count, int64_t* lengths) {
  epoll_fd = (int)must("epoll", epoll_create1(EPOLL_CLOEXEC));
  int started = 0, done = 0;
  for (int i = 0; i < want.at_once; i++) slots[i].busy = 0;
  while (done < count) {
    for (int i = 0; i < want.at_once && started < count; i++) {
      struct slot* s = &slots[i];
      if (s->busy) continue;
      start_life(s);
      started++;
      if (want.pipes) {
        watch(s->out, (uint32_t)i, 0);
        watch(s->err, (uint32_t)i, 1);
      }
      watch(s->pidfd, (uint32_t)i, 2);
    }
    struct epoll_event events[64];
    const int got = epoll_wait(epoll_fd, events, 64, -1);
    if (got < 0 && errno != EINTR) die("epoll_wait");
    if (stopped) die("interrupted");
    for (int e = 0; e < got; e++) {
      struct slot* s = &slots[events[e].data.u64 >> 2];
      switch (events[e].data.u64 & 3) {
        // A pipe may be named after its life's end in the same batch: it is closed then.
        case 0:
          drain(s, &s->out);
          break;
        case 1:
          drain(s, &s->err);
          break;
        default:  // Ended: what it wrote is in the pipes.
          while (s->open_ends) {
            drain(s, &s->out);
            drain(s, &s->err);
          }
          close(s->pidfd);
          lengths[done++] = finish_life(s);
      }
    }
  }
  close(epoll_fd);
  epoll_fd = -1;
}

// ---- Start, options, figures. ----

static void find_own_group(const char* controller, char* path) {
  FILE* file = fopen("/proc/self/cgroup", "re");
  char line[kPath];
  if (!file) die("/proc/self/cgroup");
  while (fgets(line, sizeof line, file)) {
    char* names = strchr(line, ':');
    char* group = names ? strchr(names + 1, ':') : NULL;
    if (!group) continue;
    *group++ = 0;
    group[strcspn(group, "\n")] = 0;
    for (char* name = strtok(names + 1, ","); name; name = strtok(NULL, ",")) {
      if (strcmp(name, controller)) continue;
      snprintf(path, kPath, "/sys/fs/cgroup/%s%s", controller, strcmp(group, "/") ? group : "");
      fclose(file);
      return;
    }
  }
  errno = 0;
  die("no hierarchy has the controller %s", controller);
}

static void open_hierarchy(struct hierarchy* h, const char* parent) {
  if (parent) {
    strncat(h->parent, "/", kPath - strlen(h->parent) - 1);
    strncat(h->parent, parent, kPath - strlen(h->parent) - 1);
    if (!mkdir(h->parent, 0755))
      h->made_parent = 1;
    else if (errno != EEXIST)
      die("%s", h->parent);
  }
  h->parent_fd = (int)must(h->parent, open(h->parent, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

static void open_hierarchies(char* controllers, const char* cgroup2, const char* parent) {
  if (cgroup2) {
    struct hierarchy* h = &want.hierarchies[want.hierarchy_count++];
    want.cgroup2 = 1;
    snprintf(h->parent, kPath, "%s", cgroup2);
    open_hierarchy(h, parent);
  }
  for (char *rest = NULL, *name = controllers ? strtok_r(controllers, ",", &rest) : NULL; name;
       name = strtok_r(NULL, ",", &rest)) {
    if (want.cgroup2 || want.hierarchy_count == kMaxHierarchies) die("too many hierarchies");
    struct hierarchy* h = &want.hierarchies[want.hierarchy_count];
    snprintf(h->name, sizeof h->name, "%s", name);
    if (!strcmp(name, "memory")) h->limit_file = "memory.limit_in_bytes", h->limit = "536870912";
    if (!strcmp(name, "pids")) h->limit_file = "pids.max", h->limit = "1024";
    find_own_group(name, h->parent);
    want.hierarchy_count++;
    open_hierarchy(h, parent);
  }
}

static void read_seccomp(const char* path) {
  static struct sock_filter allow[] = {{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
  static struct sock_filter filter[BPF_MAXINSNS];
  want.seccomp = (struct sock_fprog){1, allow};
  if (!path) return;
  FILE* file = fopen(path, "re");
  if (!file) die("%s", path);
  want.seccomp =
      (struct sock_fprog){(unsigned short)fread(filter, sizeof *filter, BPF_MAXINSNS, file), filter};
  fclose(file);
}

static void choose_alternatives(char* names, struct alternatives* a) {
  const struct {
    const char* name;
    int* flag;
  } known[] = {
      {"fork", &a->fork},
      {"vfork", &a->vfork},
      {"newmount", &a->newmount},
      {"procs", &a->procs},
      {"overlap", &a->overlap},
      {"lateumount", &a->lateumount},
      {"remount", &a->remount},
      {"masktmpfs", &a->masktmpfs},
      {"nonet", &a->nonet},
      {"noipc", &a->noipc},
      {"noumount", &a->noumount},
      {"keepbounding", &a->keepbounding},
      {"unsharenet", &a->unsharenet},
      {"nocgroupns", &a->nocgroupns},
  };
  for (char* name = names ? strtok(names, ",") : NULL; name; name = strtok(NULL, ",")) {
    unsigned i = 0;
    while (i < sizeof known / sizeof *known && strcmp(known[i].name, name)) i++;
    errno = 0;
    if (i == sizeof known / sizeof *known) die("no alternative is called %s", name);
    *known[i].flag = 1;
  }
}

static void prepare_paths(void) {
  if (!mkdtemp(run_dir)) die("%s", run_dir);
  snprintf(upper, kPath, "%s/upper", run_dir);
  snprintf(work, kPath, "%s/work", run_dir);
  snprintf(cwd_upper, kPath, "%s/cwd-upper", run_dir);
  snprintf(cwd_work, kPath, "%s/cwd-work", run_dir);
  snprintf(new_root, kPath, want.rootfs ? "%s" : "%s/root", run_dir);
  if (!getcwd(cwd, sizeof cwd)) die("getcwd");
  snprintf(cwd_target, sizeof cwd_target, "%s%s", new_root, cwd);
  snprintf(uid_map, sizeof uid_map, "0 %u 1", getuid());
  snprintf(gid_map, sizeof gid_map, "0 %u 1", getgid());
}

static void prepare_slots(void) {
  slots = calloc((size_t)want.at_once, sizeof *slots);
  char* stacks = mmap(NULL, (size_t)want.at_once * kStackSize, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (!slots || stacks == MAP_FAILED) die("memory");
  for (int i = 0; i < want.at_once; i++) slots[i].stack = stacks + (size_t)i * kStackSize;
}

static int by_number(const void* a, const void* b) {
  const int64_t x = *(const int64_t*)a, y = *(const int64_t*)b;
  return (x > y) - (x < y);
}

// ---- --trace: medians of each step. The marks of one life are in the same order as those of the next. ----

static int64_t* step_times[2][kMaxMarks];
static const char* step_names[2][kMaxMarks];
static int step_counts[2];

static void record_marks(int life, const struct slot* s) {
  const struct mark* marks[2] = {s->parent_marks, s->child_marks};
  const int counts[2] = {s->parent_mark_count, s->child_mark_count};
  int64_t clone_began = s->began;
  for (int i = 0; i < counts[0]; i++)
    if (!strcmp(marks[0][i].step, "pipes")) clone_began = marks[0][i].ns;
  for (int who = 0; who < 2; who++) {
    int64_t before = who ? clone_began : s->began;
    for (int i = 0; i < counts[who]; i++) {
      if (!step_times[who][i]) step_times[who][i] = calloc((size_t)want.lives, sizeof(int64_t));
      step_times[who][i][life] = marks[who][i].ns - before;
      step_names[who][i] = marks[who][i].step;
      before = marks[who][i].ns;
    }
    step_counts[who] = counts[who];
  }
}

static void print_marks(int64_t median) {
  for (int who = 0; who < 2; who++)
    for (int i = 0; i < step_counts[who]; i++) {
      qsort(step_times[who][i], (size_t)want.lives, sizeof(int64_t), by_number);
      const int64_t ns = step_times[who][i][want.lives / 2];
      fprintf(stderr, "%-7s %-22s %8.1f us %5.1f %%   min %8.1f  p95 %8.1f\n", who ? "child" : "parent",
              step_names[who][i], (double)ns / 1e3, 100.0 * (double)ns / (double)median,
              (double)step_times[who][i][0] / 1e3, (double)step_times[who][i][want.lives * 95 / 100] / 1e3);
    }
}

static void run(int count, int64_t* lengths, int traced) {
  if (want.at_once > 1) {
    many_lives(count, lengths);
    return;
  }
  for (int i = 0; i < count; i++) {
    if (want.versus) alt = choices[i & 1];
    lengths[i] = one_life(&slots[0]);
    if (traced) record_marks(i, &slots[0]);
    if (want.gap_ms) usleep((useconds_t)want.gap_ms * 1000);
  }
}

static void print_figures(int64_t* lengths, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += (double)lengths[i];
  qsort(lengths, (size_t)n, sizeof *lengths, by_number);
  printf("\"n\":%d,\"p50\":%.4f,\"p95\":%.4f,\"min\":%.4f,\"mean\":%.4f", n, (double)lengths[n / 2] / 1e6,
         (double)lengths[n * 95 / 100] / 1e6, (double)lengths[0] / 1e6, sum / n / 1e6);
}

static void print_samples(const int64_t* lengths, int n) {
  for (int i = 0; i < n; i++) printf("%s%.4f", i ? "," : ",\"samples\":[", (double)lengths[i] / 1e6);
  printf("]");
}

static void print_ratio(const char* name, int64_t a, int64_t b) {
  printf(",\"%s\":%.3f", name, (double)b / (double)a);
}

// Both kinds of lives went through the same disturbances, so that their ratio means something.
static void print_versus(const int64_t* lengths) {
  const int n = want.lives / 2;
  int64_t* each[2];
  for (int k = 0; k < 2; k++) {
    each[k] = calloc((size_t)n + 1, sizeof(int64_t));
    for (int i = 0; i < n; i++) each[k][i] = lengths[2 * i + k];
  }
  for (int k = 0; k < 2; k++) {
    printf(k ? ",\"vs\":{" : "{");
    print_figures(each[k], n);
  }
  print_ratio("minRatio", each[0][0], each[1][0]);
  print_ratio("p10Ratio", each[0][n / 10], each[1][n / 10]);
  print_ratio("p25Ratio", each[0][n / 4], each[1][n / 4]);
  print_ratio("p50Ratio", each[0][n / 2], each[1][n / 2]);
  printf("}}\n");
}

static void on_signal(int number) {
  (void)number;
  stopped = 1;
}

static void __attribute__((noreturn)) usage(void) {
  fprintf(stderr,
          "usage: floor (--rootfs DIR | --host) [--cgroups memory,pids | --cgroup2 DIR] [--parent GROUP]\n"
          "             [--mount-cgroup] [--userns] [--seccomp FILE] [--no-pipes] [--trace] [--samples] [--alt NAME,…] "
          "[--vs NAME,…]\n"
          "             [-n LIVES] [-w WARM-UPS] [-j AT-ONCE | --gap MS] -- PROGRAM [ARGUMENT…]\n");
  exit(2);
}

int main(int argc, char** argv) {
  char *controllers = NULL, *alternatives = NULL, *versus = NULL, rootfs[kPath];
  const char *cgroup2 = NULL, *parent = NULL, *seccomp = NULL;
  int host = 0, i = 1;
  for (; i < argc && strcmp(argv[i], "--"); i++) {
    const char* option = argv[i];
    char* value = i + 1 < argc ? argv[i + 1] : NULL;
    if (!strcmp(option, "--host"))
      host = 1;
    else if (!strcmp(option, "--userns"))
      want.userns = 1;
    else if (!strcmp(option, "--mount-cgroup"))
      want.mount_cgroup = 1;
    else if (!strcmp(option, "--no-pipes"))
      want.pipes = 0;
    else if (!strcmp(option, "--trace"))
      want.trace = 1;
    else if (!strcmp(option, "--samples"))
      want.samples = 1;
    else if (!value)
      usage();
    else if (i++, !strcmp(option, "--rootfs"))
      want.rootfs = value;
    else if (!strcmp(option, "--cgroups"))
      controllers = value;
    else if (!strcmp(option, "--cgroup2"))
      cgroup2 = value;
    else if (!strcmp(option, "--parent"))
      parent = value;
    else if (!strcmp(option, "--seccomp"))
      seccomp = value;
    else if (!strcmp(option, "--alt"))
      alternatives = value;
    else if (!strcmp(option, "--vs"))
      versus = value;
    else if (!strcmp(option, "-n"))
      want.lives = atoi(value);
    else if (!strcmp(option, "-w"))
      want.warmups = atoi(value);
    else if (!strcmp(option, "--gap"))
      want.gap_ms = atoi(value);
    else if (!strcmp(option, "-j"))
      want.at_once = atoi(value);
    else
      usage();
  }
  if (i + 1 >= argc || !want.rootfs == !host || want.lives < 1 || want.warmups < 0 || want.at_once < 1)
    usage();
  want.argv = argv + i + 1;
  if ((want.trace || versus) && want.at_once > 1) usage();
  if (want.trace && versus) usage();
  want.versus = versus != NULL;
  if (want.rootfs && !(want.rootfs = realpath(want.rootfs, rootfs))) die("--rootfs");
  choose_alternatives(alternatives, &choices[0]);
  choose_alternatives(versus ? versus : alternatives, &choices[1]);
  alt = choices[0];
  // The child joins the parent's network namespace of the moment: one at a time.
  if (want.at_once > 1 && alt.overlap) usage();

  umask(0);
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  const int null = (int)must("/dev/null", open("/dev/null", O_RDONLY | O_CLOEXEC));
  must("stdin", dup2(null, 0));
  own_pidfd = (int)must("pidfd_open", syscall(SYS_pidfd_open, getpid(), 0));
  prepare_paths();
  read_seccomp(seccomp);
  open_hierarchies(controllers, cgroup2, parent);
  prepare_slots();

  int64_t* lengths = calloc((size_t)(want.lives > want.warmups ? want.lives : want.warmups), sizeof *lengths);
  if (!lengths) die("memory");
  run(want.warmups, lengths, 0);
  const int64_t began = now();
  run(want.lives, lengths, want.trace);
  const int64_t wall = now() - began;
  clean_up();
  if (want.versus) {
    print_versus(lengths);
    return 0;
  }
  printf("{");
  print_figures(lengths, want.lives);
  if (want.samples) print_samples(lengths, want.lives);
  printf(",\"wallPerSecond\":%.1f}\n", want.lives / ((double)wall / 1e9));
  if (want.trace) print_marks(lengths[want.lives / 2]);
  return 0;
}
