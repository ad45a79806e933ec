// /proc/self/mountinfo and /proc/self/cgroup, with a NUL between: mount points may have any name that a user
// likes.
#include <cstdint>
#include <cstdlib>

#include "core/base/text.h"
#include "core/cgroup/layout.h"
#include "target.h"

using namespace nsbox;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string_view mountinfo = cut(rest, '\0');
  const cgroup::Layout layout = cgroup::parse_layout(mountinfo, rest);
  for (const cgroup::HierarchyLayout& one : layout.hierarchies) {
    if (!one.mount_point.view().starts_with('/')) std::abort();
    if (one.own_path.view().starts_with('/')) continue;  // "//a": odd, but the kernel's own text.
    if (!one.shows_own && !one.own_path.empty()) std::abort();
  }
  return 0;
}

namespace nsbox::fuzz {

std::vector<std::string> seeds() {
  const std::string hybrid =
      "30 25 0:26 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755\n"
      "31 30 0:27 / /sys/fs/cgroup/unified rw shared:10 - cgroup2 cgroup2 rw,nsdelegate\n"
      "34 30 0:30 /docker/a /sys/fs/cgroup/cpu,cpuacct rw shared:15 - cgroup cgroup rw,cpu,cpuacct\n"
      "35 30 0:31 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
      "36 30 0:32 /.. /mnt/with\\040blank\\134 ro - cgroup cgroup rw,memory\n";
  const std::string own =
      "12:cpu,cpuacct:/docker/a/b\n3:memory:/..\n1:name=systemd:/user.slice\n0::/user.slice/x\n";
  return {hybrid + std::string(1, '\0') + own, hybrid, std::string(1, '\0') + own,
          "29 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw" + std::string(1, '\0') + "0::/\n"};
}

std::vector<std::string> words() {
  return {" - ",     "cgroup",
          "cgroup2", "\n",
          "\\040",   "\\377",
          "\\",      "0::",
          "name=",   "/..",
          "/../",    " (deleted)",
          "rw,cpu",  "ro",
          ",",       "/sys/fs/cgroup",
          ":",       std::string(1, '\0')};
}

}  // namespace nsbox::fuzz
