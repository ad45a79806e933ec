#include "core/mount/dev.h"

#include <fcntl.h>
#include <sys/sysmacros.h>

#include <cerrno>

#include "core/mount/mount.h"
#include "core/sys/beneath.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

struct Node {
  const char* name;
  uint32_t major, minor;
};
constexpr Node kNodes[] = {{"null", 1, 3},   {"zero", 1, 5},    {"full", 1, 7},
                           {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};

struct Link {
  const char* name;
  const char* target;
};
constexpr Link kLinks[] = {{"fd", "/proc/self/fd"},
                           {"stdin", "/proc/self/fd/0"},
                           {"stdout", "/proc/self/fd/1"},
                           {"stderr", "/proc/self/fd/2"},
                           {"ptmx", "pts/ptmx"}};

uint64_t device_number(uint32_t major, uint32_t minor) {
  // The kernel's own packing (new_encode_dev), the same as the C library's for numbers of this size.
  return (minor & 0xFF) | uint64_t{major} << 8 | uint64_t{minor & ~0xFFU} << 12;
}

Status check_node(int fd, mode_t type, uint32_t major, uint32_t minor) {
  const auto info = TRY(sys::statx(fd, "", AT_EMPTY_PATH, STATX_TYPE));
  if ((info.stx_mode & S_IFMT) == type && info.stx_rdev_major == major && info.stx_rdev_minor == minor)
    return Ok{};
  return Error::plain(ENODEV, "not the ", type == S_IFBLK ? "block" : "character", " device ", major, ":",
                      minor);
}

Status bind_host_node(int dev, const char* name, const char* host_path, mode_t type, uint32_t major,
                      uint32_t minor) {
  auto source = sys::open(host_path, O_PATH | O_NOFOLLOW);
  if (!source) return source.error().while_doing("open ", host_path);
  TRY(check_node(source->get(), type, major, minor));
  auto made = sys::openat(dev, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0666);
  if (!made && made.err() != EEXIST) return made.error();
  UniqueFd target = TRY(sys::openat(dev, name, O_PATH | O_NOFOLLOW));
  UniqueFd copy = TRY(copy_mount(source->get(), "", false));
  return attach_mount(copy.get(), target.get());
}

Status make_node(int dev, const Node& node) {
  auto made = sys::mknodat(dev, node.name, S_IFCHR | 0666, device_number(node.major, node.minor));
  if (made || made.err() == EEXIST) return Ok{};
  if (made.err() != EPERM) return made;
  return bind_host_node(dev, node.name, format("/dev/", node.name).c_str(), S_IFCHR, node.major, node.minor);
}

mode_t type_bits(char type) {
  switch (type) {
    case 'b':
      return S_IFBLK;
    case 'p':
      return S_IFIFO;
    default:
      return S_IFCHR;
  }
}

// An O_PATH descriptor of the node, checked to be the one that is wanted: a link or another device may lie in
// its place.
Result<UniqueFd> open_node(int dir, const char* name, const Device& device) {
  UniqueFd node = TRY(sys::openat(dir, name, O_PATH | O_NOFOLLOW));
  const auto info = TRY(sys::statx(node.get(), "", AT_EMPTY_PATH, STATX_TYPE));
  const bool numbered = device.type != 'p';
  if ((info.stx_mode & S_IFMT) != type_bits(device.type) ||
      (numbered && (info.stx_rdev_major != device.major || info.stx_rdev_minor != device.minor)))
    return Error::plain(EEXIST, "another file is there");
  return node;
}

bool is_empty_file(int dir, const char* name) {
  auto info = sys::statx(dir, name, AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_SIZE);
  return info && S_ISREG(info->stx_mode) && info->stx_size == 0;
}

bool may_make_devices(int dir) {
  constexpr const char* kProbe = ".nsbox-device";
  auto made = sys::mknodat(dir, kProbe, S_IFCHR, device_number(1, 3));
  if (made) (void)sys::unlinkat(dir, kProbe, 0);
  return made.err() != EPERM;
}

// Where this user may make no device, the host's is bound: on a file of its own, or the one that an earlier
// life of the container has left there.
bool wants_bind(int dir, const char* name, const Status& made) {
  return made.err() == EPERM || (made.err() == EEXIST && is_empty_file(dir, name) && !may_make_devices(dir));
}

Status make_device(int root, const Device& device) {
  const size_t slash = device.path.find_last_of('/');
  if (slash == std::string_view::npos) return Error(EINVAL);
  UniqueFd dir = TRY(make_directories_in_root(root, device.path.substr(0, slash), 0755));
  const String name(device.path.substr(slash + 1));
  const mode_t type = type_bits(device.type),
               mode = device.mode & 07777;  // Some callers give the type as well.
  auto made = sys::mknodat(dir.get(), name.c_str(), type | mode, device_number(device.major, device.minor));
  if (type != S_IFIFO && wants_bind(dir.get(), name.c_str(), made))
    return bind_host_node(dir.get(), name.c_str(), String(device.path).c_str(), type, device.major,
                          device.minor);
  if (!made && made.err() != EEXIST) return made;
  UniqueFd node = TRY(open_node(dir.get(), name.c_str(), device));
  TRY(sys::fchmodat(AT_FDCWD, format("/proc/self/fd/", node.get()).c_str(), mode));
  return sys::fchownat(node.get(), "", device.user, device.group, AT_EMPTY_PATH);
}

Status make_link(int dev, const char* target, const char* name) {
  auto done = sys::symlinkat(target, dev, name);
  if (!done && done.err() != EEXIST) return done.error().while_doing("make /dev/", name);
  return Ok{};
}

}  // namespace

Status check_device(int fd, uint32_t major, uint32_t minor) { return check_node(fd, S_IFCHR, major, minor); }

Status make_default_devices(int root) {
  auto dev = make_directories_in_root(root, "/dev", 0755);
  if (!dev) return dev.error().while_doing("open /dev");
  for (const Node& node : kNodes)
    if (auto done = make_node(dev->get(), node); !done)
      return done.error().while_doing("make /dev/", node.name);
  for (const Link& link : kLinks) TRY(make_link(dev->get(), link.target, link.name));
  // Not every kernel has it.
  if (sys::faccessat2(AT_FDCWD, "/proc/kcore", 0, 0)) TRY(make_link(dev->get(), "/proc/kcore", "core"));
  return Ok{};
}

Status make_devices(int root, const Vector<Device>& devices) {
  for (const Device& device : devices) {
    // Engines list all devices of the host where all are wanted; this one is the container's own, by a link.
    if (device.path == "/dev/ptmx") continue;
    if (auto done = make_device(root, device); !done)
      return done.error().while_doing("make device ", device.path);
  }
  return Ok{};
}

Result<UniqueFd> make_console_place(int root) {
  UniqueFd dev = TRY(make_directories_in_root(root, "/dev", 0755));
  auto made = sys::openat(dev.get(), "console", O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0600);
  if (!made && made.err() != EEXIST) return made.error().while_doing("make /dev/console");
  UniqueFd place = TRY(sys::openat(dev.get(), "console", O_PATH | O_NOFOLLOW));
  const auto info = TRY(sys::statx(place.get(), "", AT_EMPTY_PATH, STATX_TYPE));
  if (S_ISREG(info.stx_mode) || S_ISCHR(info.stx_mode)) return place;
  return Error::plain(EEXIST, "make /dev/console: neither a file nor a device is there");
}

Status bind_console(int place, int slave) {
  constexpr long kDevpts = 0x1cd1;
  sys::KernelStatfs info = {};
  TRY(sys::fstatfs(slave, info));
  if (info.type != kDevpts) return Error::plain(ENOTTY, "mount the terminal on /dev/console: it is none");
  auto copy = copy_mount(slave, "", false);
  auto done = copy ? attach_mount(copy->get(), place) : Status(copy.error());
  if (!done) return done.error().while_doing("mount the terminal on /dev/console");
  return Ok{};
}

}  // namespace nsbox
