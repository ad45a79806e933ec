#include "core/security/seccomp_install.h"

#include <errno.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

#include "core/sys/syscalls.h"

namespace nsbox {

SeccompInstallOptions install_options(const SeccompProfile& profile) {
  return {profile.flags.value_or(SECCOMP_FILTER_FLAG_SPEC_ALLOW), profile.notifies()};
}

Result<UniqueFd> install_seccomp(std::span<const sock_filter> program, const SeccompInstallOptions& options) {
  // The kernel only reads it, but its struct has no const.
  const sock_fprog filter{static_cast<unsigned short>(program.size()),
                          const_cast<sock_filter*>(program.data())};
  uint32_t flags = options.flags;
  if (options.listener) flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
  // With both, one number could be a descriptor or a thread: let a thread that cannot follow be an error.
  if (options.listener && (flags & SECCOMP_FILTER_FLAG_TSYNC)) flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;

  auto done = sys::seccomp(SECCOMP_SET_MODE_FILTER, flags, &filter);
  // Where an outer filter hides seccomp(2): SPEC_ALLOW, the only flag that may go missing, is about speed.
  if (done.err() == ENOSYS && (flags & ~uint32_t{SECCOMP_FILTER_FLAG_SPEC_ALLOW}) == 0)
    done = sys::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, reinterpret_cast<unsigned long>(&filter));
  if (!done) return done.error().while_doing("install the seccomp filter");
  if (options.listener) return UniqueFd(static_cast<int>(*done));
  if (*done > 0) return Error::plain(ESRCH, "install the seccomp filter: thread ", *done, " cannot take it");
  return UniqueFd();
}

uint32_t supported_seccomp_flags() {
  constexpr uint32_t kFlags[] = {SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_FILTER_FLAG_LOG,
                                 SECCOMP_FILTER_FLAG_SPEC_ALLOW, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV};
  uint32_t supported = 0;
  for (const uint32_t flag : kFlags) {
    // A known flag gets as far as the filter, which is not there. WAIT_KILLABLE_RECV is one of a listener.
    const uint32_t company =
        flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0u;
    if (sys::seccomp(SECCOMP_SET_MODE_FILTER, flag | company, nullptr).err() == EFAULT) supported |= flag;
  }
  return supported;
}

}  // namespace nsbox
