#include "core/mount/flags.h"

#include <linux/mount.h>

namespace nsbox {

unsigned long mount_flags(uint64_t attributes) {
  unsigned long flags =
      attributes & (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  switch (attributes & MOUNT_ATTR__ATIME) {
    case MOUNT_ATTR_NOATIME:
      flags |= 1024;
      break;
    case MOUNT_ATTR_STRICTATIME:
      flags |= 1 << 24;
      break;
    default:
      flags |= 1 << 21;
  }
  if (attributes & MOUNT_ATTR_NODIRATIME) flags |= 2048;
  if (attributes & MOUNT_ATTR_NOSYMFOLLOW) flags |= 256;
  return flags;
}

String joined(const Vector<std::string_view>& options) {
  String text;
  for (std::string_view option : options) append(text, text.empty() ? "" : ",", option);
  return text;
}

}  // namespace nsbox
