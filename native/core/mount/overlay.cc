#include "core/mount/overlay.h"

#include <fcntl.h>

#include <cerrno>

#include "core/mount/mount.h"
#include "core/mount/overlay_page.h"
#include "core/sys/syscalls.h"

namespace nsbox {

Result<Scratch> Scratch::create(uint64_t size) {
  Vector<std::string_view> options;
  options.push_back("mode=700");
  const String limit = format("size=", size);
  if (size) options.push_back(limit.view());
  auto made = make_filesystem("tmpfs", "nsbox-scratch", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  if (!made) return made.error().while_doing("mount tmpfs for the scratch space");
  return Scratch(std::move(*made), false);
}

Result<Scratch> Scratch::use(std::string_view path) {
  auto dir = sys::open(String(path).c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!dir) return dir.error().while_doing("open the scratch space ", path);
  return Scratch(std::move(*dir), true);
}

Result<Scratch::Layer> Scratch::add_layer(int like) {
  const String name = format(layers_++);
  TRY(sys::mkdirat(mount_.get(), name.c_str(), 0700));
  UniqueFd dir = TRY(sys::openat(mount_.get(), name.c_str(), O_PATH | O_DIRECTORY));
  TRY(sys::mkdirat(dir.get(), "u", 0755));
  TRY(sys::mkdirat(dir.get(), "w", 0700));
  Layer layer{TRY(sys::openat(dir.get(), "u", O_PATH | O_DIRECTORY)),
              TRY(sys::openat(dir.get(), "w", O_PATH | O_DIRECTORY))};
  // The upper directory is the overlay's root: it shows this mode and owner.
  const auto info = TRY(sys::statx(like, "", AT_EMPTY_PATH, STATX_BASIC_STATS));
  if ((info.stx_mode & 07777) != 0755) TRY(sys::fchmodat(dir.get(), "u", info.stx_mode & 07777));
  if (info.stx_uid || info.stx_gid)
    (void)sys::fchownat(dir.get(), "u", info.stx_uid, info.stx_gid,
                        0);  // An owner without a place in our id map.
  return layer;
}

bool Scratch::attach() {
  if (attached_) return false;
  // Places of the host that are no source of anybody's: a container has its own of each.
  for (const char* path : {"/dev/mqueue", "/dev/pts", "/dev/shm"}) {
    auto place = sys::open(path, O_PATH | O_DIRECTORY);
    attached_ = place && attach_mount(mount_.get(), place->get());
    if (attached_) break;
  }
  return attached_;
}

void Scratch::leave_to_old_root() {
  if (attached_) return;
  auto place = sys::open("/proc", O_PATH | O_DIRECTORY);
  attached_ = place && attach_mount(mount_.get(), place->get());
}

namespace {

// The directory itself (Linux 6.14), or its descriptor's name: that is short, needs no escaping and cannot be
// swapped for another directory either.
Status set_directory(int fs, const char* key, int dir) {
  if (sys::fsconfig(fs, FSCONFIG_SET_FD, key, nullptr, dir)) return Ok{};
  return sys::fsconfig(fs, FSCONFIG_SET_STRING, key, format("/proc/self/fd/", dir).c_str(), 0);
}

constexpr size_t kLongestValue = 255;  // fsconfig(2) takes no more.

// How the layers below are told.
enum class Lowers { kOneByOne, kTogether };

// "lowerdir+" takes one more layer below those before it, by its descriptor (Linux 6.13) or by the name of
// that (6.5). Before, all were one text. E2BIG where that is too long.
Status set_lowers(int fs, std::span<const int> lowers, Lowers how) {
  if (how == Lowers::kOneByOne) {
    for (const int lower : lowers) TRY(set_directory(fs, "lowerdir+", lower));
    return Ok{};
  }
  if (lowers.size() == 1) return set_directory(fs, "lowerdir", lowers[0]);
  const String list = list_of_lowers(lowers);
  if (list.size() > kLongestValue) return Error(E2BIG);
  return sys::fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir", list.c_str(), 0);
}

// Whatever this kernel was built with, the upper directory holds whole files and plain marks: changes() reads
// it. With userxattr that is so by itself, and saying it is an error.
Status set_marks(int fs, OverlayMarks marks) {
  if (marks == OverlayMarks::kUser) return sys::fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", nullptr, 0);
  for (const char* feature : {"redirect_dir", "metacopy", "index"})
    (void)sys::fsconfig(fs, FSCONFIG_SET_STRING, feature, "off", 0);
  return Ok{};
}

Result<UniqueFd> make_from(int fs, const OverlayOptions& options, Lowers how) {
  const InDescriptors here;
  TRY(sys::fsconfig(fs, FSCONFIG_SET_STRING, "source", "overlay", 0));
  TRY(set_lowers(fs, options.lowers, how));
  if (options.upper >= 0) {
    TRY(set_directory(fs, "upperdir", options.upper));
    TRY(set_directory(fs, "workdir", options.work));
  }
  TRY(set_marks(fs, options.marks));
  // The scratch space is gone after a crash anyway: no sync is worth its time (Linux 5.10).
  (void)sys::fsconfig(fs, FSCONFIG_SET_FLAG, "volatile", nullptr, 0);
  TRY(sys::fsconfig(fs, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0));
  return sys::fsmount(fs, 0, static_cast<unsigned>(options.attributes));
}

Result<UniqueFd> make_by(const OverlayOptions& options, Lowers how) {
  const UniqueFd fs = TRY(sys::fsopen("overlay", 0));
  return make_from(fs.get(), options, how);
}

}  // namespace

Result<UniqueFd> make_overlay(const OverlayOptions& options) {
  auto made = make_by(options, Lowers::kOneByOne);
  // Kernels that do not know "lowerdir+" may take the word all the same, and refuse only what comes of it.
  if (made.err() == EINVAL) made = make_by(options, Lowers::kTogether);
  const bool is_for_page = made.err() == ENOSYS || made.err() == E2BIG;
  return is_for_page ? make_overlay_by_page(options) : std::move(made);
}

}  // namespace nsbox
