#include "core/container/probe.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>

#include <cerrno>

#include "core/mount/mount.h"
#include "core/mount/overlay.h"
#include "core/mount/rootfs.h"
#include "core/ns/id_map.h"
#include "core/process/clone.h"
#include "core/security/seccomp_install.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

// A trial runs in a child that shares our memory until it exits, and answers an errno. Raw calls and the
// core's own functions over them; no allocation by the C library (MemoryHooks' ordinary heap may be locked by
// another thread).
using Trial = int (*)();

struct Attempt {
  Trial trial;
  int err = 0;
};

int run_trial(void* argument) {
  auto* attempt = static_cast<Attempt*>(argument);
  attempt->err = attempt->trial();
  return 0;
}

int attempt(uint64_t flags, Trial trial) {
  Attempt one{trial};
  auto child = clone_vfork({.flags = flags | CLONE_CLEAR_SIGHAND}, &run_trial, &one);
  if (!child) return child.err();
  (void)sys::waitid(3 /* P_PIDFD */, child->pidfd.get(), nullptr, 4 | 0x40000000 /* WEXITED | __WALL */,
                    nullptr);
  return one.err;
}

int nothing() { return 0; }

int error_of(long result) { return sys::failed(result) ? static_cast<int>(-result) : 0; }

int mount_proc() {
  const long fs = sys::call(__NR_fsopen, "proc", 0);
  if (sys::failed(fs)) return error_of(fs);
  const long made = sys::call(__NR_fsconfig, fs, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
  if (sys::failed(made)) return error_of(made);
  return error_of(sys::call(__NR_fsmount, fs, 0, 0));
}

int mount_tmpfs() {
  const long fs = sys::call(__NR_fsopen, "tmpfs", 0);
  if (sys::failed(fs)) return error_of(fs);
  const long made = sys::call(__NR_fsconfig, fs, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
  if (sys::failed(made)) return error_of(made);
  return static_cast<int>(sys::call(__NR_fsmount, fs, 0, 0));
}

int overlay_over_usr() {
  const int scratch = mount_tmpfs();
  if (scratch < 0) return -scratch;
  const long fs = sys::call(__NR_fsopen, "overlay", 0);
  return error_of(fs);
}

int call_clone3() { return error_of(sys::call(__NR_clone3, nullptr, 0)) == ENOSYS ? ENOSYS : 0; }
int call_openat2() { return error_of(sys::call(__NR_openat2, -1, "", nullptr, 0)) == ENOSYS ? ENOSYS : 0; }
int call_pidfd() { return error_of(sys::call(__NR_pidfd_open, -1, 0)) == ENOSYS ? ENOSYS : 0; }
int call_mount_setattr() {
  return error_of(sys::call(__NR_mount_setattr, -1, "", 0, nullptr, 0)) == ENOSYS ? ENOSYS : 0;
}
int call_seccomp() {
  // SECCOMP_GET_ACTION_AVAIL for SECCOMP_RET_ERRNO.
  const uint32_t action = 0x00050000;
  return error_of(sys::call(__NR_seccomp, 2, 0, &action));
}

Probe told(std::string_view name, int err) {
  Probe probe;
  probe.name = name;
  probe.ok = err == 0;
  if (err) probe.detail = Error(err).message();
  return probe;
}

}  // namespace

Vector<Probe> run_probes() {
  // Root may do without a user namespace; everybody else makes the others inside one.
  const uint64_t user = sys::geteuid() == 0 ? 0 : CLONE_NEWUSER;
  Vector<Probe> probes;
  probes.push_back(told("clone3", call_clone3()));
  probes.push_back(told("pidfd", call_pidfd()));
  probes.push_back(told("openat2", call_openat2()));
  probes.push_back(told("new-mount-api", call_mount_setattr()));
  probes.push_back(told("seccomp", call_seccomp()));
  probes.push_back(told("user-namespace", attempt(CLONE_NEWUSER, &nothing)));
  probes.push_back(told("pid-namespace", attempt(user | CLONE_NEWPID, &nothing)));
  probes.push_back(told("mount-namespace", attempt(user | CLONE_NEWNS, &nothing)));
  probes.push_back(told("network-namespace", attempt(user | CLONE_NEWNET, &nothing)));
  probes.push_back(told("proc-mount", attempt(user | CLONE_NEWPID | CLONE_NEWNS, &mount_proc)));
  probes.push_back(told("overlay", attempt(user | CLONE_NEWNS, &overlay_over_usr)));
  return probes;
}

}  // namespace nsbox
