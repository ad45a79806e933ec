#include "core/mount/mount.h"

#include <fcntl.h>

#include <cerrno>

#include "core/base/text.h"
#include "core/sys/beneath.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr unsigned long kBind = 4096, kRecursive = 16384, kRemount = 32;

String fd_path(int fd) { return format("/proc/self/fd/", fd); }

bool is_missing(int err) { return err == ENOSYS; }

// The flags of mount(2) for attributes: the lower bits have the same numbers, access times have not.
unsigned long old_flags(uint64_t attributes) {
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
  return flags;
}

// What the mount has stays as it is but for `clear`: in a user namespace its flags are locked
// (mount_namespaces(7)).
Status remount_bind(int mount, uint64_t set, uint64_t clear) {
  constexpr unsigned long kKept = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
                                  MOUNT_ATTR_NOEXEC;  // As statfs(2) tells them.
  sys::KernelStatfs info = {};
  TRY(sys::fstatfs(mount, info));
  const unsigned long kept = static_cast<unsigned long>(info.flags) & kKept & ~clear;
  return sys::mount(nullptr, fd_path(mount).c_str(), nullptr, kRemount | kBind | kept | old_flags(set),
                    nullptr);
}

bool lacks_mount_setattr() { return sys::call(__NR_mount_setattr, -1, nullptr, 0, nullptr, 0) == -ENOSYS; }

Status configure(int fs, std::string_view source, const Vector<std::string_view>& data) {
  if (!source.empty()) TRY(sys::fsconfig(fs, FSCONFIG_SET_STRING, "source", String(source).c_str(), 0));
  for (std::string_view option : data) {
    const bool has_value = option.find('=') != std::string_view::npos;
    std::string_view value = option;
    const String key(cut(value, '='));
    auto set = has_value ? sys::fsconfig(fs, FSCONFIG_SET_STRING, key.c_str(), String(value).c_str(), 0)
                         : sys::fsconfig(fs, FSCONFIG_SET_FLAG, key.c_str(), nullptr, 0);
    if (!set) return set.error().while_doing("option ", option);
  }
  return Ok{};
}

bool is_directory(int fd) {
  auto info = sys::statx(fd, "", AT_EMPTY_PATH, STATX_TYPE);
  return info && S_ISDIR(info->stx_mode);
}

}  // namespace

Result<UniqueFd> make_filesystem(std::string_view type, std::string_view source,
                                 const Vector<std::string_view>& data, uint64_t attributes) {
  UniqueFd fs = TRY(sys::fsopen(String(type).c_str(), 0));
  TRY(configure(fs.get(), source, data));
  TRY(sys::fsconfig(fs.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0));
  return sys::fsmount(fs.get(), 0, static_cast<unsigned>(attributes));
}

Result<UniqueFd> copy_mount(int dir, const char* source, bool recursive) {
  const unsigned empty = *source ? 0 : AT_EMPTY_PATH;
  return sys::open_tree(dir, source, OPEN_TREE_CLONE | empty | (recursive ? AT_RECURSIVE : 0));
}

Status attach_mount(int mount, int target) {
  return sys::move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

Status set_mount_attributes(int mount, uint64_t set, uint64_t clear, bool recursive) {
  if (!set && !clear) return Ok{};
  mount_attr attributes = {};
  attributes.attr_set = set;
  attributes.attr_clr = clear;
  auto done = sys::mount_setattr(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), attributes);
  if (done || !is_missing(done.err()) || recursive) return done;
  return remount_bind(mount, set, clear);
}

Status attach_with_attributes(int mount, int target, uint64_t set, uint64_t clear) {
  auto done = set_mount_attributes(mount, set, clear, false);
  // Before Linux 5.12 there is the remount alone, which wants the mount attached.
  const bool too_early = done.err() == EINVAL && lacks_mount_setattr();
  if (!done && !too_early) return done;
  TRY(attach_mount(mount, target));
  if (too_early) return remount_bind(mount, set, clear);
  return Ok{};
}

Status set_propagation(int mount, uint64_t propagation) {
  const bool recursive = propagation & kRecursive;
  mount_attr attributes = {};
  attributes.propagation = propagation & ~uint64_t{kRecursive};
  auto done = sys::mount_setattr(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), attributes);
  if (done || !is_missing(done.err())) return done;
  return sys::mount(nullptr, fd_path(mount).c_str(), nullptr, propagation, nullptr);
}

namespace {

// The old way: the mount comes into being on its target, found by the descriptor's name in /proc.
Result<UniqueFd> mount_the_old_way(int root, const Mount& mount, const char* source, int target) {
  String options;
  for (std::string_view option : mount.data) append(options, options.empty() ? "" : ",", option);
  const String where = fd_path(target);
  const unsigned long flags =
      mount.bind ? kBind | (mount.bind_recursive ? kRecursive : 0) : old_flags(mount.set);
  TRY(sys::mount(source, where.c_str(), mount.bind ? nullptr : String(mount.type).c_str(), flags,
                 mount.bind ? nullptr : options.c_str()));
  UniqueFd mounted = TRY(open_in_root(root, mount.destination, O_PATH));
  if (mount.bind && (mount.set || mount.clear)) TRY(remount_bind(mounted.get(), mount.set, mount.clear));
  return mounted;
}

Result<UniqueFd> open_source(const Mount& mount) {
  return sys::open(String(mount.source).c_str(), O_PATH | (mount.source_nofollow ? O_NOFOLLOW : 0));
}

// What lxcfs shows in the place of the kernel's own; anything else in /proc is the container's view of
// itself, and what this program writes there must reach the kernel (CVE-2019-16884, CVE-2019-19921).
constexpr std::string_view kProcFiles[] = {"/proc/cpuinfo", "/proc/diskstats", "/proc/loadavg",
                                           "/proc/meminfo", "/proc/slabinfo",  "/proc/stat",
                                           "/proc/swaps",   "/proc/uptime"};

Status refuse_inside_proc(int target, const Mount& mount) {
  constexpr long kProcMagic = 0x9fa0;
  sys::KernelStatfs info = {};
  TRY(sys::fstatfs(target, info));
  if (info.type != kProcMagic) return Ok{};
  for (std::string_view allowed : kProcFiles)
    if (mount.destination == allowed) return Ok{};
  return Error::plain(EPERM, "nothing may be mounted inside /proc but what lxcfs shows");
}

Status refuse_over_proc(const Mount& mount) {
  if (mount.type == "proc" || mount.bind) return Ok{};
  std::string_view path = mount.destination;
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  if (path != "/proc") return Ok{};
  return Error::plain(EPERM, "nothing but proc may be mounted on /proc");
}

Result<UniqueFd> open_target(int root, const Mount& mount, bool directory) {
  TRY(refuse_over_proc(mount));
  UniqueFd target = TRY(directory ? make_directories_in_root(root, mount.destination, 0755)
                                  : make_file_in_root(root, mount.destination, 0644));
  TRY(refuse_inside_proc(target.get(), mount));
  return target;
}

Result<UniqueFd> mount_bind(int root, const Mount& mount) {
  auto source = open_source(mount);
  if (!source) return source.error().while_doing("open the source ", mount.source);
  UniqueFd target = TRY(open_target(root, mount, is_directory(source->get())));
  auto copy = copy_mount(source->get(), "", mount.bind_recursive);
  if (is_missing(copy.err()))
    return mount_the_old_way(root, mount, fd_path(source->get()).c_str(), target.get());
  if (!copy) return copy.error().while_doing("copy the mount at ", mount.source);
  TRY(attach_with_attributes(copy->get(), target.get(), mount.set, mount.clear));
  return copy;
}

Result<UniqueFd> mount_filesystem(int root, const Mount& mount) {
  UniqueFd target = TRY(open_target(root, mount, true));
  auto made = make_filesystem(mount.type, mount.source, mount.data, mount.set);
  if (is_missing(made.err()))
    return mount_the_old_way(root, mount, String(mount.source).c_str(), target.get());
  if (!made) return made;
  TRY(attach_mount(made->get(), target.get()));
  return made;
}

Result<UniqueFd> mount_and_adjust(int root, const Mount& mount) {
  UniqueFd made = TRY(mount.bind ? mount_bind(root, mount) : mount_filesystem(root, mount));
  TRY(set_mount_attributes(made.get(), mount.set_recursive, mount.clear_recursive, true));
  for (const uint64_t propagation : mount.propagations) TRY(set_propagation(made.get(), propagation));
  return made;
}

}  // namespace

Result<UniqueFd> mount_beneath(int root, const Mount& mount) {
  auto made = mount_and_adjust(root, mount);
  if (!made)
    return made.error().while_doing("mount ", mount.bind ? mount.source : mount.type, " on ",
                                    mount.destination);
  return made;
}

}  // namespace nsbox
