#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/string.h"
#include "core/base/vector.h"

// The words of mount(2), for what the new calls cannot do or an older kernel does not have. sys/mount.h and
// linux/mount.h cannot be included together.
namespace nsbox {

inline constexpr unsigned long kMsRemount = 1 << 5, kMsBind = 1 << 12, kMsMove = 1 << 13,
                               kMsRecursive = 1 << 14;
inline constexpr unsigned long kMsUnbindable = 1 << 17, kMsPrivate = 1 << 18, kMsSlave = 1 << 19,
                               kMsShared = 1 << 20;
// MS_NOATIME, MS_NODIRATIME, MS_RELATIME, MS_STRICTATIME.
inline constexpr unsigned long kAccessTimes = 1 << 10 | 1 << 11 | 1 << 21 | 1 << 24;

// The flags of mount(2) for MOUNT_ATTR_*: the lower bits have the same numbers, access times have not.
unsigned long mount_flags(uint64_t attributes);
// The data of mount(2): "size=64k,mode=755".
String joined(const Vector<std::string_view>& options);

inline String fd_path(int fd) { return format("/proc/self/fd/", fd); }

}  // namespace nsbox
