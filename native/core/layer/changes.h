#pragma once

#include <cstdint>
#include <span>

#include "core/base/error.h"
#include "core/base/vector.h"

// What an overlay's upper directory says about its lower ones (Documentation/filesystems/overlayfs.rst).
namespace nsbox {

// Deeper trees are refused: nobody but an attacker makes them.
inline constexpr int kMaxTreeDepth = 512;

enum class ChangeKind : uint8_t { kAdded, kModified, kDeleted };

struct Change {
  ChangeKind kind;
  String path;  // Relative to the overlay, without a leading slash.
  uint32_t mode = 0;
  uint64_t size = 0;
};

// How overlay marks a deletion (character device 0:0) and a directory that hides what is below it.
bool is_whiteout(uint32_t mode, uint32_t major, uint32_t minor);
bool is_opaque(int directory);

// All changes, parents before children. `lowers`: the layers below, topmost first. A directory that exists
// below counts only when its mode or owner is another.
Result<Vector<Change>> list_changes(int upper, std::span<const int> lowers);

}  // namespace nsbox
