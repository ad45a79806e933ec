#include "core/container/steps.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>

#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {

Status name_the_host(const Config& config) {
  if (!config.hostname.empty())
    if (auto done = sys::sethostname(config.hostname); !done)
      return done.error().while_doing("set the host name ", config.hostname);
  if (!config.domainname.empty())
    if (auto done = sys::setdomainname(config.domainname); !done)
      return done.error().while_doing("set the domain name ", config.domainname);
  return Ok{};
}

Status set_sysctls(const Config& config, int sysctls) {
  for (const Sysctl& one : config.sysctls) {
    const String path(one.path);
    auto file = sys::openat2(sysctls, path.c_str(), O_WRONLY, 0,
                             RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_BENEATH);
    if (!file) return file.error().while_doing("open the kernel parameter ", one.name);
    auto done = sys::write(file->get(), one.value.data(), one.value.size());
    if (!done) return done.error().while_doing("set the kernel parameter ", one.name, " to ", one.value);
  }
  return Ok{};
}

Result<UniqueFd> open_time_offsets() { return sys::open("/proc/self/timens_offsets", O_WRONLY); }

Status make_time_namespace(const Vector<TimeOffset>& offsets, int file) {
  if (auto done = sys::unshare(CLONE_NEWTIME); !done)
    return done.error().while_doing("make the time namespace");
  for (const TimeOffset& one : offsets) {
    const String line = format(one.clock, " ", one.seconds, " ", one.nanoseconds);
    if (auto done = sys::write(file, line.c_str(), line.size()); !done)
      return done.error().while_doing("set linux.timeOffsets.", one.clock);
  }
  return Ok{};
}

}  // namespace nsbox
