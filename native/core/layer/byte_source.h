#pragma once

#include <cstdint>
#include <span>

#include "core/base/error.h"

namespace nsbox {

using Bytes = std::span<const uint8_t>;

// A stream that is read piece by piece: a file, what inflate makes of it, a ring between two threads.
class ByteSource {
 public:
  // The next piece, valid until the next call; an empty one is the end, and stays it.
  virtual Result<Bytes> next() = 0;

 protected:
  ~ByteSource() = default;
};

}  // namespace nsbox
