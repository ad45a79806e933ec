#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/error.h"

namespace nsbox {

enum class NameKind : uint8_t {
  kRoot,      // The layer's own root: "./"
  kEntry,     // What it says.
  kWhiteout,  // `name` is what is deleted.
  kOpaque,    // `directory` hides all that lower layers have there.
  kIgnored,   // AUFS's own bookkeeping, which old images carry.
};

// An entry's name, taken apart: "./a//b" is "b" in "a".
struct LayerName {
  NameKind kind = NameKind::kRoot;
  String directory;  // Empty: the root.
  String name;       // One component.
};

// Refuses what is no place in a layer: absolute names, "..", whiteouts of nothing or of "." and "..".
Result<LayerName> parse_layer_name(std::string_view name);

}  // namespace nsbox
