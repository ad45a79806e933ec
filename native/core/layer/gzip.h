#pragma once

#include <cstdint>

#include "core/layer/inflate.h"

namespace nsbox {

// A gzip file (RFC 1952), of any number of members, each checked against its sum and size. What follows the
// last one and is none is an error.
class Gunzip {
 public:
  explicit Gunzip(ByteSource& source) : inflater_(source) {}

  // As Inflater::inflate; 0 is the end.
  Result<size_t> read(uint8_t* to, size_t size);

 private:
  enum class State : uint8_t { kHeader, kData, kEnded };

  Status read_header();
  Status skip_header_fields(uint32_t flags);
  Status skip_text();
  Status read_trailer();
  Result<uint32_t> byte();

  Inflater inflater_;
  State state_ = State::kHeader;
  bool first_ = true;
  uint32_t crc_ = 0;
  uint32_t size_ = 0;  // Modulo 2^32, as the trailer has it.
};

}  // namespace nsbox
