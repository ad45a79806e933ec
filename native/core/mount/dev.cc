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

Status bind_host_node(int dev, const char* name, const char* host_path, uint32_t major, uint32_t minor) {
  auto source = sys::open(host_path, O_PATH | O_NOFOLLOW);
  if (!source) return source.error().while_doing("open ", host_path);
  TRY(check_device(source->get(), major, minor));
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
  return bind_host_node(dev, node.name, format("/dev/", node.name).c_str(), node.major, node.minor);
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

Status make_device(int root, const Device& device) {
  const size_t slash = device.path.find_last_of('/');
  if (slash == std::string_view::npos) return Error(EINVAL);
  UniqueFd dir = TRY(make_directories_in_root(root, device.path.substr(0, slash), 0755));
  const String name(device.path.substr(slash + 1));
  auto made = sys::mknodat(dir.get(), name.c_str(), type_bits(device.type) | device.mode,
                           device_number(device.major, device.minor));
  if (made.err() == EPERM && device.type != 'p')
    return bind_host_node(dir.get(), name.c_str(), String(device.path).c_str(), device.major, device.minor);
  if (!made && made.err() != EEXIST) return made;
  UniqueFd node = TRY(open_node(dir.get(), name.c_str(), device));
  TRY(sys::fchmodat(AT_FDCWD, format("/proc/self/fd/", node.get()).c_str(), device.mode));
  return sys::fchownat(node.get(), "", device.user, device.group, AT_EMPTY_PATH);
}

}  // namespace

Status check_device(int fd, uint32_t major, uint32_t minor) {
  const auto info = TRY(sys::statx(fd, "", AT_EMPTY_PATH, STATX_TYPE));
  if ((info.stx_mode & S_IFMT) == S_IFCHR && info.stx_rdev_major == major && info.stx_rdev_minor == minor)
    return Ok{};
  return Error::plain(ENODEV, "not the character device ", major, ":", minor);
}

Status make_default_devices(int root) {
  auto dev = make_directories_in_root(root, "/dev", 0755);
  if (!dev) return dev.error().while_doing("open /dev");
  for (const Node& node : kNodes)
    if (auto done = make_node(dev->get(), node); !done)
      return done.error().while_doing("make /dev/", node.name);
  for (const Link& link : kLinks) {
    auto done = sys::symlinkat(link.target, dev->get(), link.name);
    if (!done && done.err() != EEXIST) return done.error().while_doing("make /dev/", link.name);
  }
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

}  // namespace nsbox
