#include "core/mount/overlay_page.h"

#include <fcntl.h>
#include <sys/mount.h>

#include <cerrno>

#include "core/base/text.h"
#include "core/mount/mount.h"
#include "core/sys/syscalls.h"

namespace nsbox {

InDescriptors::InDescriptors() {
  auto before = sys::open(".", O_PATH | O_DIRECTORY);
  if (!before || !sys::chdir("/proc/self/fd")) return;
  before_ = std::move(*before);
}

InDescriptors::~InDescriptors() {
  if (before_) (void)sys::fchdir(before_.get());
}

String list_of_lowers(std::span<const int> lowers) {
  String list;
  for (const int lower : lowers) append(list, list.empty() ? "" : ":", lower);
  return list;
}

namespace {

constexpr size_t kPage = 4096;

String options_text(const OverlayOptions& options) {
  String text = format("lowerdir=", list_of_lowers(options.lowers));
  if (options.upper >= 0) append(text, ",upperdir=", options.upper, ",workdir=", options.work);
  append(text,
         options.marks == OverlayMarks::kUser ? ",userxattr" : ",redirect_dir=off,metacopy=off,index=off");
  // Of one that is never written there is nothing to sync either, and the kernel refuses the word.
  if (options.upper >= 0) append(text, ",volatile");
  return text;
}

// Mounted on a place of the host's that is nobody's source, taken up as a copy, and let go there.
Result<UniqueFd> mount_and_take(const char* place, const char* options) {
  TRY(sys::mount("overlay", place, "overlay", 0, options));
  auto taken = sys::open_tree(AT_FDCWD, place, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  (void)sys::umount2(place, MNT_DETACH);
  return taken;
}

}  // namespace

Result<UniqueFd> make_overlay_by_page(const OverlayOptions& options) {
  const String text = options_text(options);
  if (text.size() >= kPage) return Error(E2BIG);
  const InDescriptors here;
  Result<UniqueFd> made = Error(ENOENT);
  for (const char* place : {"/dev/mqueue", "/dev/pts", "/dev/shm", "/tmp"}) {
    made = mount_and_take(place, text.c_str());
    if (made.err() != ENOENT) break;
  }
  if (made) TRY(set_mount_attributes(made->get(), options.attributes, 0, false));
  return made;
}

}  // namespace nsbox
