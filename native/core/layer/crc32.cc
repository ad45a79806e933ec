#include "core/layer/crc32.h"

#include <array>
#include <bit>
#include <cstring>

#include "core/layer/cpu.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace nsbox {
namespace {

constexpr uint32_t kPolynomial = 0xEDB88320;  // Reflected.
constexpr size_t kSlices = 8;

using Table = std::array<std::array<uint32_t, 256>, kSlices>;

// Table n: what a byte does to the sum n bytes later.
constexpr Table make_table() {
  Table table{};
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; bit++) value = value >> 1 ^ (value & 1 ? kPolynomial : 0);
    table[0][i] = value;
  }
  for (size_t n = 1; n < kSlices; n++)
    for (size_t i = 0; i < 256; i++) table[n][i] = table[n - 1][i] >> 8 ^ table[0][table[n - 1][i] & 0xFF];
  return table;
}
constexpr Table kTable = make_table();

static_assert(std::endian::native == std::endian::little);

uint32_t by_table(uint32_t crc, const uint8_t* at, size_t size) {
  for (; size >= 8; size -= 8, at += 8) {
    uint32_t low, high;
    memcpy(&low, at, 4);
    memcpy(&high, at + 4, 4);
    low ^= crc;
    crc = kTable[7][low & 0xFF] ^ kTable[6][low >> 8 & 0xFF] ^ kTable[5][low >> 16 & 0xFF] ^
          kTable[4][low >> 24] ^ kTable[3][high & 0xFF] ^ kTable[2][high >> 8 & 0xFF] ^
          kTable[1][high >> 16 & 0xFF] ^ kTable[0][high >> 24];
  }
  while (size--) crc = crc >> 8 ^ kTable[0][(crc ^ *at++) & 0xFF];
  return crc;
}

#if defined(__x86_64__)

// x^n modulo the polynomial, as PCLMULQDQ wants it of reflected operands: for folding what lies n bits ahead.
constexpr uint64_t power_of_x(unsigned n) {
  uint32_t value = 0x80000000;  // x^0
  for (; n; n--) value = value >> 1 ^ (value & 1 ? kPolynomial : 0);
  return uint64_t{value} << 1;
}
constexpr uint64_t kBy512Low = power_of_x(512 + 32), kBy512High = power_of_x(512 - 32);
constexpr uint64_t kBy128Low = power_of_x(128 + 32), kBy128High = power_of_x(128 - 32);

__attribute__((target("pclmul,sse4.1"))) inline __m128i fold(__m128i ahead, __m128i by, __m128i data) {
  const __m128i low = _mm_clmulepi64_si128(ahead, by, 0x00);
  const __m128i high = _mm_clmulepi64_si128(ahead, by, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), data);
}

__attribute__((target("pclmul,sse4.1"))) inline __m128i load(const uint8_t* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

// Four lanes of 128 bits, each folded over the 512 bits to its next part (V. Gopal et al., "Fast CRC
// Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel 2009). What is left, 16 bytes with
// the same sum as all before, goes through the table. `size`: a multiple of 64.
__attribute__((target("pclmul,sse4.1"))) uint32_t by_folding(uint32_t crc, const uint8_t* at, size_t size) {
  __m128i lanes[4] = {load(at), load(at + 16), load(at + 32), load(at + 48)};
  lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi32_si128(static_cast<int>(crc)));
  const __m128i by512 = _mm_set_epi64x(static_cast<int64_t>(kBy512High), static_cast<int64_t>(kBy512Low));
  for (at += 64, size -= 64; size; at += 64, size -= 64) {
    lanes[0] = fold(lanes[0], by512, load(at));
    lanes[1] = fold(lanes[1], by512, load(at + 16));
    lanes[2] = fold(lanes[2], by512, load(at + 32));
    lanes[3] = fold(lanes[3], by512, load(at + 48));
  }
  const __m128i by128 = _mm_set_epi64x(static_cast<int64_t>(kBy128High), static_cast<int64_t>(kBy128Low));
  __m128i sum = lanes[0];
  for (int i = 1; i < 4; i++) sum = fold(sum, by128, lanes[i]);
  uint8_t rest[16];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(rest), sum);
  return by_table(0, rest, sizeof rest);
}

#endif

}  // namespace

uint32_t crc32(uint32_t crc, Bytes bytes) {
  crc = ~crc;
#if defined(__x86_64__)
  if (bytes.size() >= 256 && cpu_features().pclmul) {
    const size_t folded = bytes.size() & ~size_t{63};
    crc = by_folding(crc, bytes.data(), folded);
    bytes = bytes.subspan(folded);
  }
#endif
  return ~by_table(crc, bytes.data(), bytes.size());
}

}  // namespace nsbox
