#pragma once

#include <cstdint>

namespace nsbox {

// What a layer may ask for at most. Nothing is allocated beyond these.
struct TarLimits {
  uint64_t name = 4095;              // PATH_MAX without its NUL: a longer one the kernel would refuse.
  uint64_t pax = uint64_t{1} << 20;  // One extended header.
  uint64_t entries = 4'000'000;
  uint64_t total = uint64_t{1} << 40;  // The sizes of all files, holes included.
  uint64_t extents = 65536;            // Pieces of one sparse file.
};

}  // namespace nsbox
