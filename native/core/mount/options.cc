#include <sys/types.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/mount/mount.h"

namespace nsbox {
namespace {

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

// MS_* of mount(2) that are no attributes; linux/mount.h and sys/mount.h cannot be included together.
struct Flag {
  std::string_view name;
  uint64_t set;
  uint64_t clear;
};
constexpr Flag kSuperFlags[] = {
    {"sync", 1 << 4, 0},      {"async", 0, 1 << 4},       {"mand", 1 << 6, 0},
    {"nomand", 0, 1 << 6},    {"dirsync", 1 << 7, 0},     {"silent", 1 << 15, 0},
    {"loud", 0, 1 << 15},     {"iversion", 1 << 23, 0},   {"noiversion", 0, 1 << 23},
    {"lazytime", 1 << 25, 0}, {"nolazytime", 0, 1 << 25},
};
constexpr Flag kPropagations[] = {
    {"unbindable", 1 << 17, 0}, {"private", 1 << 18, 0}, {"slave", 1 << 19, 0}, {"shared", 1 << 20, 0}};
constexpr uint64_t kRecursive = 1 << 14;

struct Switch {
  std::string_view name;
  bool Mount::*member;
};
constexpr Switch kSwitches[] = {
    {"remount", &Mount::remount},
    {"tmpcopyup", &Mount::copy_up},
    {"copy-symlink", &Mount::copy_symlink},
    {"src-nofollow", &Mount::source_nofollow},
    {"dest-nofollow", &Mount::dest_nofollow},
    {"nsbox.scratch", &Mount::scratch_upper},
};

// The last of two that contradict each other counts; access times are one field, set and cleared as a whole.
void change(uint64_t& set, uint64_t& clear, uint64_t to_set, uint64_t to_clear) {
  set = (set & ~to_clear) | to_set;
  clear = (clear | to_clear) & ~(to_set & ~to_clear);
}

bool is_recursive_form(std::string_view option, std::string_view name) {
  return option.size() == name.size() + 1 && option[0] == 'r' && option.substr(1) == name;
}

bool add_attribute(Mount& mount, std::string_view option) {
  for (const Attribute& entry : kAttributes) {
    if (option == entry.name) {
      change(mount.set, mount.clear, entry.set, entry.clear);
      return true;
    }
    if (is_recursive_form(option, entry.name)) {
      change(mount.set_recursive, mount.clear_recursive, entry.set, entry.clear);
      return true;
    }
  }
  return false;
}

bool add_super_flag(Mount& mount, std::string_view option) {
  for (const Flag& entry : kSuperFlags) {
    if (option != entry.name) continue;
    change(mount.set_super, mount.clear_super, entry.set, entry.clear);
    return true;
  }
  return false;
}

bool add_switch(Mount& mount, std::string_view option) {
  for (const Switch& entry : kSwitches)
    if (option == entry.name) return mount.*entry.member = true;
  return false;
}

bool add_propagation(Mount& mount, std::string_view option) {
  const uint64_t flags = propagation_flags(option);
  if (flags) mount.propagations.push_back(flags);
  return flags != 0;
}

// "0-1000-10#10-2000-5": container, host, size.
bool read_ranges(std::string_view text, Vector<IdMapping>& out) {
  while (!text.empty()) {
    std::string_view one = cut(text, '#');
    const auto container = parse_unsigned(cut(one, '-')), host = parse_unsigned(cut(one, '-'));
    const auto size = parse_unsigned(one);
    if (!container || !host || !size || *container > UINT32_MAX || *host > UINT32_MAX || *size > UINT32_MAX)
      return false;
    out.push_back(
        {static_cast<uint32_t>(*container), static_cast<uint32_t>(*host), static_cast<uint32_t>(*size)});
  }
  return !out.empty();
}

// "uids=…;gids=…", which crun takes behind "idmap=".
bool read_maps(std::string_view text, Mount& mount) {
  Vector<IdMapping> users, groups;
  while (!text.empty()) {
    std::string_view one = cut(text, ';');
    const std::string_view kind = cut(one, '=');
    if (kind != "uids" && kind != "gids") return false;
    if (!read_ranges(one, kind == "uids" ? users : groups)) return false;
  }
  mount.user_mappings = std::move(users);
  mount.group_mappings = std::move(groups);
  return true;
}

bool add_idmap(Mount& mount, std::string_view option) {
  std::string_view maps = option;
  const std::string_view name = cut(maps, '=');
  if (name != "idmap" && name != "ridmap") return false;
  if (name.size() != option.size() && !read_maps(maps, mount)) return false;
  mount.idmap = true;
  mount.idmap_recursive = name == "ridmap";
  return true;
}

}  // namespace

uint64_t propagation_flags(std::string_view name) {
  for (const Flag& entry : kPropagations) {
    if (name == entry.name) return entry.set;
    if (is_recursive_form(name, entry.name)) return entry.set | kRecursive;
  }
  return 0;
}

void add_mount_option(Mount& mount, std::string_view option) {
  if (option == "bind" || option == "rbind") {
    mount.bind = true;
    mount.bind_recursive |= option[0] == 'r';
    return;
  }
  if (option == "defaults" || option.empty()) return;
  const bool known = add_switch(mount, option) || add_propagation(mount, option) ||
                     add_attribute(mount, option) || add_super_flag(mount, option) ||
                     add_idmap(mount, option);
  if (!known) mount.data.push_back(option);
}

Vector<String> mount_option_names() {
  Vector<String> out;
  for (const std::string_view name : {"bind", "rbind", "defaults", "idmap", "ridmap"}) out.emplace_back(name);
  for (const Switch& entry : kSwitches)
    if (!entry.name.starts_with("nsbox.")) out.emplace_back(entry.name);
  for (const Flag& entry : kSuperFlags) out.emplace_back(entry.name);
  const auto add_with_recursive = [&](std::string_view name) {
    out.emplace_back(name);
    out.push_back(format("r", name));
  };
  for (const Flag& entry : kPropagations) add_with_recursive(entry.name);
  for (const Attribute& entry : kAttributes) add_with_recursive(entry.name);
  std::sort(out.begin(), out.end(), [](const String& a, const String& b) { return a.view() < b.view(); });
  return out;
}

}  // namespace nsbox
