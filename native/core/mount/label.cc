#include "core/mount/label.h"

#include "core/base/text.h"

namespace nsbox {

String label_option(std::string_view label) { return format("context=\"", label, "\""); }

bool takes_label(const Mount& mount) {
  if (mount.bind || mount.remount) return false;
  for (const std::string_view kernels : {"proc", "sysfs", "mqueue", "cgroup", "cgroup2", "bpf"})
    if (mount.type == kernels) return false;
  return true;
}

}  // namespace nsbox
