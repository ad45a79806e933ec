#include "core/security/labels.h"

#include <errno.h>
#include <linux/magic.h>

#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {

namespace {

bool is_mounted(const char* path, long type) {
  sys::KernelStatfs there{};
  return sys::statfs(path, there) && there.type == type;
}

bool is_directory(const char* path) {
  auto there = sys::statx(AT_FDCWD, path, 0, STATX_TYPE);
  return there && S_ISDIR(there->stx_mode);
}

// A label with a NUL or a line break would say something else than it seems to.
Status check_label(std::string_view label) {
  if (label.empty()) return Error::invalid("a security label must not be empty");
  for (const char c : label)
    if (c == '\0' || c == '\n') return Error::invalid("a security label must be one line");
  return Ok{};
}

}  // namespace

SecurityModules security_modules() {
  SecurityModules modules;
  // AppArmor's directory exists where the module is at work; securityfs itself is there without it too.
  modules.apparmor =
      is_mounted("/sys/kernel/security", SECURITYFS_MAGIC) && is_directory("/sys/kernel/security/apparmor");
  modules.selinux = is_mounted("/sys/fs/selinux", SELINUX_MAGIC);
  return modules;
}

Status set_apparmor_exec_profile(int thread_self, std::string_view profile) {
  TRY(check_label(profile));
  const String command = format("exec ", profile);
  auto done = write_file_at(thread_self, "attr/apparmor/exec", command);
  // Before Linux 5.8, the file that all modules share.
  if (done.err() == ENOENT) done = write_file_at(thread_self, "attr/exec", command);
  if (!done) return Error(done.err()).while_doing("set the AppArmor profile ", profile);
  return Ok{};
}

Status set_selinux_exec_label(int thread_self, std::string_view label) {
  TRY(check_label(label));
  if (auto done = write_file_at(thread_self, "attr/exec", label); !done)
    return Error(done.err()).while_doing("set the SELinux label ", label);
  return Ok{};
}

Status set_selinux_key_label(int thread_self, std::string_view label) {
  TRY(check_label(label));
  if (auto done = write_file_at(thread_self, "attr/keycreate", label); !done)
    return Error(done.err()).while_doing("set the SELinux label of keyrings ", label);
  return Ok{};
}

}  // namespace nsbox
