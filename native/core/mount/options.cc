#include <sys/types.h>

#include "core/base/text.h"
#include "core/mount/mount.h"

namespace nsbox {
namespace {

// MS_* of mount(2) that are no attributes; linux/mount.h and sys/mount.h cannot be included together.
constexpr uint64_t kShared = 1 << 20, kPrivate = 1 << 18, kSlave = 1 << 19, kUnbindable = 1 << 17;

struct Attribute {
  std::string_view name;
  uint64_t set;
  uint64_t clear;
};

// Each has a recursive form, its name with an "r" before it (runtime-spec 1.0.3).
constexpr Attribute kAttributes[] = {
    {"ro", MOUNT_ATTR_RDONLY, 0},
    {"rw", 0, MOUNT_ATTR_RDONLY},
    {"nosuid", MOUNT_ATTR_NOSUID, 0},
    {"suid", 0, MOUNT_ATTR_NOSUID},
    {"nodev", MOUNT_ATTR_NODEV, 0},
    {"dev", 0, MOUNT_ATTR_NODEV},
    {"noexec", MOUNT_ATTR_NOEXEC, 0},
    {"exec", 0, MOUNT_ATTR_NOEXEC},
    {"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
    {"atime", 0, MOUNT_ATTR__ATIME},
    {"relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"norelatime", 0, MOUNT_ATTR__ATIME},
    {"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"nostrictatime", 0, MOUNT_ATTR__ATIME},
    {"nodiratime", MOUNT_ATTR_NODIRATIME, 0},
    {"diratime", 0, MOUNT_ATTR_NODIRATIME},
    {"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW},
};

struct Propagation {
  std::string_view name;
  uint64_t flag;
};
constexpr Propagation kPropagations[] = {
    {"shared", kShared}, {"private", kPrivate}, {"slave", kSlave}, {"unbindable", kUnbindable}};

bool add_attribute(Mount& mount, std::string_view option) {
  for (const Attribute& entry : kAttributes) {
    if (option == entry.name) {
      mount.set = (mount.set & ~entry.clear) | entry.set;
      mount.clear = (mount.clear | entry.clear) & ~(entry.set & ~entry.clear);
      return true;
    }
    if (option.size() == entry.name.size() + 1 && option[0] == 'r' && option.substr(1) == entry.name) {
      mount.set_recursive = (mount.set_recursive & ~entry.clear) | entry.set;
      mount.clear_recursive |= entry.clear;
      return true;
    }
  }
  return false;
}

bool add_propagation(Mount& mount, std::string_view option) {
  for (const Propagation& entry : kPropagations) {
    const bool recursive = option.size() == entry.name.size() + 1 && option[0] == 'r';
    if (option != entry.name && !(recursive && option.substr(1) == entry.name)) continue;
    mount.propagation = entry.flag;
    mount.propagation_recursive = recursive;
    return true;
  }
  return false;
}

}  // namespace

void add_mount_option(Mount& mount, std::string_view option) {
  if (option == "bind" || option == "rbind") {
    mount.bind = true;
    mount.bind_recursive = option[0] == 'r';
  } else if (option == "nsbox.scratch") {
    mount.scratch_upper = true;
  } else if (option == "src-nofollow") {
    mount.source_nofollow = true;
  } else if (option == "defaults" || option == "async" || option.empty()) {
    return;  // What the kernel does anyway.
  } else if (!add_propagation(mount, option) && !add_attribute(mount, option)) {
    mount.data.push_back(option);
  }
}

}  // namespace nsbox
