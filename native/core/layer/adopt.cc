#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "core/layer/attributes.h"
#include "core/layer/printable.h"
#include "core/layer/unpack.h"
#include "core/sys/beneath.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

// Whatever is there in its place, a whiteout too, hides those further below.
bool hides(int err) { return err == ENOTDIR || err == ELOOP; }

Status adopt(int root, std::span<const int> lowers, std::string_view path, UnpackAs as) {
  auto directory = open_in_root_nofollow(root, path, O_RDONLY | O_DIRECTORY);
  // The layer has put something else there later.
  if (directory.err() == ENOENT || hides(directory.err())) return Ok{};
  if (!directory) return directory.error();
  for (const int lower : lowers) {
    auto below = open_in_root_nofollow(lower, path, O_RDONLY | O_DIRECTORY);
    if (below) return copy_attributes(below->get(), directory->get(), as);
    if (hides(below.err())) return Ok{};
    if (below.err() != ENOENT) return below.error();
  }
  return Ok{};
}

}  // namespace

Status adopt_directories(int root, std::span<const int> lowers, std::span<const String> paths, UnpackAs as) {
  for (const String& path : paths)
    if (auto done = adopt(root, lowers, path, as); !done)
      return done.error().while_doing("unpack ", printable(path));
  return Ok{};
}

}  // namespace nsbox
