#include "core/security/rlimits.h"

#include <sys/resource.h>

#include <array>

#include "core/sys/syscalls.h"

namespace nsbox {

namespace {

// In the order of their numbers, which are the same on x86 and ARM.
constexpr std::array<std::string_view, 16> kNames{
    "RLIMIT_CPU",      "RLIMIT_FSIZE",  "RLIMIT_DATA",    "RLIMIT_STACK", "RLIMIT_CORE",  "RLIMIT_RSS",
    "RLIMIT_NPROC",    "RLIMIT_NOFILE", "RLIMIT_MEMLOCK", "RLIMIT_AS",    "RLIMIT_LOCKS", "RLIMIT_SIGPENDING",
    "RLIMIT_MSGQUEUE", "RLIMIT_NICE",   "RLIMIT_RTPRIO",  "RLIMIT_RTTIME"};
static_assert(RLIMIT_NOFILE == 7 && RLIMIT_RTTIME == 15);

void append_value(String& out, uint64_t value) {
  if (value == kNoLimit)
    append(out, "unlimited");
  else
    append(out, value);
}

void append_values(String& out, uint64_t soft, uint64_t hard) {
  append_value(out, soft);
  append(out, ':');
  append_value(out, hard);
}

Error failure(const Error& error, const Rlimit& limit, int pid) {
  String text = format("set ", rlimit_name(limit.resource), " to ");
  append_values(text, limit.soft, limit.hard);
  if (rlimit64 here{}; sys::prlimit(pid, static_cast<int>(limit.resource), nullptr, &here)) {
    append(text, " (here ");
    append_values(text, here.rlim_cur, here.rlim_max);
    append(text, ")");
  }
  return error.while_doing(text);
}

}  // namespace

std::optional<unsigned> rlimit_number(std::string_view name) {
  for (unsigned i = 0; i < kNames.size(); i++)
    if (kNames[i] == name) return i;
  return std::nullopt;
}

std::string_view rlimit_name(unsigned resource) {
  return resource < kNames.size() ? kNames[resource] : std::string_view();
}

Status set_rlimits(std::span<const Rlimit> limits, int pid) {
  for (const Rlimit& limit : limits) {
    const rlimit64 wanted{limit.soft, limit.hard};
    if (auto done = sys::prlimit(pid, static_cast<int>(limit.resource), &wanted, nullptr); !done)
      return failure(done.error(), limit, pid);
  }
  return Ok{};
}

}  // namespace nsbox
