#include "core/mount/tmpfs.h"

#include <fcntl.h>

#include <cerrno>

#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

bool has_option(const Mount& mount, std::string_view key) {
  for (std::string_view option : mount.data)
    for (size_t at = 0; at < option.size();) {
      const std::string_view rest = option.substr(at);
      if (rest.starts_with(key)) return true;
      const size_t comma = rest.find(',');
      if (comma == std::string_view::npos) break;
      at += comma + 1;
    }
  return false;
}

// The directory below may be read by its descriptor's name only: O_PATH does not read.
Status copy_up(int below, int made, CopyTree copy_tree) {
  if (!copy_tree) return Error::plain(ENOTSUP, "tmpcopyup is not for this mount");
  UniqueFd from = TRY(sys::openat(below, ".", O_RDONLY | O_DIRECTORY));
  UniqueFd to = TRY(sys::openat(made, ".", O_RDONLY | O_DIRECTORY));
  return copy_tree(from.get(), to.get());
}

// An owner without a place in this id map stays root.
void take_owner(int made, const Mount& mount, const struct statx& below) {
  if (!below.stx_uid && !below.stx_gid) return;
  if (!has_option(mount, "uid=") && !has_option(mount, "gid="))
    (void)sys::fchownat(made, ".", below.stx_uid, below.stx_gid, 0);
}

}  // namespace

Result<UniqueFd> mount_tmpfs(const Mount& mount, const Target& target, CopyTree copy_tree) {
  const auto below = TRY(sys::statx(target.place.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS));
  Vector<std::string_view> data = mount.data;
  char mode[] = "mode=0000";
  for (int digit = 0; digit < 4; digit++)
    mode[5 + digit] = static_cast<char>('0' + (below.stx_mode >> (9 - 3 * digit) & 7));
  const bool takes_mode = !target.made && !has_option(mount, "mode=");
  if (takes_mode) data.push_back(mode);
  UniqueFd made = TRY(make_filesystem("tmpfs", mount.source, data, mount.set & ~uint64_t{MOUNT_ATTR_RDONLY},
                                      {mount.set_super, mount.clear_super}));
  if (mount.copy_up) {
    const auto asked = TRY(sys::statx(made.get(), "", AT_EMPTY_PATH, STATX_MODE));
    TRY(copy_up(target.place.get(), made.get(), copy_tree));
    // The copy has the mode of the directory below, which the option outranks.
    if (!takes_mode) TRY(sys::fchmodat(made.get(), ".", asked.stx_mode & 07777));
  }
  if (takes_mode) take_owner(made.get(), mount, below);
  TRY(attach_with_attributes(made.get(), target.place.get(), mount.set & MOUNT_ATTR_RDONLY, 0));
  return made;
}

}  // namespace nsbox
