#pragma once

#include <cstdint>

#include "core/layer/byte_source.h"

namespace nsbox {

// The CRC of RFC 1952, section 8: 0 to begin with, then what the last call answered.
uint32_t crc32(uint32_t crc, Bytes bytes);

}  // namespace nsbox
