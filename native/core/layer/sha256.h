#pragma once

#include <array>
#include <cstdint>

#include "core/base/string.h"
#include "core/layer/byte_source.h"

namespace nsbox {

// SHA-256 (FIPS 180-4) of a stream, by the processor's own instructions where it has them.
class Sha256 {
 public:
  void add(Bytes bytes);
  std::array<uint8_t, 32> finish();
  // "sha256:…", an OCI digest.
  String finish_digest();

  using State = std::array<uint32_t, 8>;

 private:
  State state_ = {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
                  0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};
  uint8_t block_[64] = {};
  uint64_t size_ = 0;
};

namespace detail {
// The two ways, for the tests to compare. False where the processor has no such instructions.
void sha256_plain(Sha256::State& state, const uint8_t* blocks, size_t count);
bool sha256_fast(Sha256::State& state, const uint8_t* blocks, size_t count);
}  // namespace detail

}  // namespace nsbox
