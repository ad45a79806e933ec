#include "core/layer/sha256.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/layer/cpu.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace nsbox {
namespace {

// The first 32 bits of the fractions of the cube roots of the first 64 primes.
alignas(16) constexpr uint32_t kRound[64] = {
    0x428A2F98, 0x71374491, 0xB5C0FBCF, 0xE9B5DBA5, 0x3956C25B, 0x59F111F1, 0x923F82A4, 0xAB1C5ED5,
    0xD807AA98, 0x12835B01, 0x243185BE, 0x550C7DC3, 0x72BE5D74, 0x80DEB1FE, 0x9BDC06A7, 0xC19BF174,
    0xE49B69C1, 0xEFBE4786, 0x0FC19DC6, 0x240CA1CC, 0x2DE92C6F, 0x4A7484AA, 0x5CB0A9DC, 0x76F988DA,
    0x983E5152, 0xA831C66D, 0xB00327C8, 0xBF597FC7, 0xC6E00BF3, 0xD5A79147, 0x06CA6351, 0x14292967,
    0x27B70A85, 0x2E1B2138, 0x4D2C6DFC, 0x53380D13, 0x650A7354, 0x766A0ABB, 0x81C2C92E, 0x92722C85,
    0xA2BFE8A1, 0xA81A664B, 0xC24B8B70, 0xC76C51A3, 0xD192E819, 0xD6990624, 0xF40E3585, 0x106AA070,
    0x19A4C116, 0x1E376C08, 0x2748774C, 0x34B0BCB5, 0x391C0CB3, 0x4ED8AA4A, 0x5B9CCA4F, 0x682E6FF3,
    0x748F82EE, 0x78A5636F, 0x84C87814, 0x8CC70208, 0x90BEFFFA, 0xA4506CEB, 0xBEF9A3F7, 0xC67178F2};

uint32_t load_big(const uint8_t* at) {
  uint32_t value;
  memcpy(&value, at, 4);
  return __builtin_bswap32(value);
}

uint32_t small_sigma0(uint32_t x) { return std::rotr(x, 7) ^ std::rotr(x, 18) ^ x >> 3; }
uint32_t small_sigma1(uint32_t x) { return std::rotr(x, 17) ^ std::rotr(x, 19) ^ x >> 10; }
uint32_t big_sigma0(uint32_t x) { return std::rotr(x, 2) ^ std::rotr(x, 13) ^ std::rotr(x, 22); }
uint32_t big_sigma1(uint32_t x) { return std::rotr(x, 6) ^ std::rotr(x, 11) ^ std::rotr(x, 25); }

void one_block(Sha256::State& state, const uint8_t* block) {
  uint32_t words[64];
  for (size_t i = 0; i < 16; i++) words[i] = load_big(block + i * 4);
  for (size_t i = 16; i < 64; i++)
    words[i] = small_sigma1(words[i - 2]) + words[i - 7] + small_sigma0(words[i - 15]) + words[i - 16];
  auto [a, b, c, d, e, f, g, h] = state;
  for (size_t i = 0; i < 64; i++) {
    const uint32_t one = h + big_sigma1(e) + ((e & f) ^ (~e & g)) + kRound[i] + words[i];
    const uint32_t two = big_sigma0(a) + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + one, d = c, c = b, b = a, a = one + two;
  }
  const uint32_t last[8] = {a, b, c, d, e, f, g, h};
  for (size_t i = 0; i < 8; i++) state[i] += last[i];
}

#if defined(__x86_64__)

// The instructions keep a, b, e, f in one register and c, d, g, h in the other, highest first, and do two
// rounds at a time; words[i % 4] holds four words of the schedule, always the latest sixteen of them (Intel
// SDM, SHA256RNDS2, SHA256MSG1, SHA256MSG2).
__attribute__((target("sha,ssse3,sse4.1"))) void by_instructions(Sha256::State& state, const uint8_t* blocks,
                                                                 size_t count) {
  const __m128i to_big = _mm_set_epi64x(0x0C0D0E0F08090A0B, 0x0405060700010203);
  auto* const halves = reinterpret_cast<__m128i*>(state.data());
  const __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128(halves), 0xB1);
  const __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128(halves + 1), 0x1B);
  __m128i abef = _mm_alignr_epi8(badc, hgfe, 8);
  __m128i cdgh = _mm_blend_epi16(hgfe, badc, 0xF0);
  for (; count; count--, blocks += 64) {
    const __m128i abef_before = abef, cdgh_before = cdgh;
    __m128i words[4];
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
      __m128i& now = words[i % 4];
      if (i < 4) {
        now = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(blocks) + i), to_big);
      } else {
        const __m128i last = words[(i + 3) % 4];
        const __m128i seven_ago = _mm_alignr_epi8(last, words[(i + 2) % 4], 4);
        now = _mm_add_epi32(_mm_sha256msg1_epu32(now, words[(i + 1) % 4]), seven_ago);
        now = _mm_sha256msg2_epu32(now, last);
      }
      const __m128i constants = _mm_load_si128(reinterpret_cast<const __m128i*>(kRound) + i);
      const __m128i input = _mm_add_epi32(now, constants);
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, input);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(input, 0x0E));
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  const __m128i feba = _mm_shuffle_epi32(abef, 0x1B);
  const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xB1);
  _mm_storeu_si128(halves, _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128(halves + 1, _mm_alignr_epi8(dchg, feba, 8));
}

#endif

void add_blocks(Sha256::State& state, const uint8_t* blocks, size_t count) {
  if (!detail::sha256_fast(state, blocks, count)) detail::sha256_plain(state, blocks, count);
}

}  // namespace

bool detail::sha256_fast([[maybe_unused]] Sha256::State& state, [[maybe_unused]] const uint8_t* blocks,
                         [[maybe_unused]] size_t count) {
#if defined(__x86_64__)
  if (!cpu_features().sha) return false;
  by_instructions(state, blocks, count);
  return true;
#else
  return false;
#endif
}

void detail::sha256_plain(Sha256::State& state, const uint8_t* blocks, size_t count) {
  for (; count; count--, blocks += 64) one_block(state, blocks);
}

void Sha256::add(Bytes bytes) {
  const size_t held = size_ % 64;
  size_ += bytes.size();
  if (held) {
    const Bytes first = bytes.first(std::min(bytes.size(), 64 - held));
    if (!first.empty()) memcpy(block_ + held, first.data(), first.size());
    bytes = bytes.subspan(first.size());
    if (held + first.size() < 64) return;
    add_blocks(state_, block_, 1);
  }
  add_blocks(state_, bytes.data(), bytes.size() / 64);
  const Bytes rest = bytes.subspan(bytes.size() / 64 * 64);
  if (!rest.empty()) memcpy(block_, rest.data(), rest.size());
}

std::array<uint8_t, 32> Sha256::finish() {
  const uint64_t bits = __builtin_bswap64(size_ * 8);
  const size_t held = size_ % 64;
  uint8_t padding[72] = {0x80};
  const size_t fill = (held < 56 ? 56 : 120) - held;
  memcpy(padding + fill, &bits, 8);
  add(Bytes(padding, fill + 8));
  std::array<uint8_t, 32> out;
  for (size_t i = 0; i < 8; i++) {
    const uint32_t word = __builtin_bswap32(state_[i]);
    memcpy(out.data() + i * 4, &word, 4);
  }
  return out;
}

String Sha256::finish_digest() {
  constexpr std::string_view kHex = "0123456789abcdef";
  String out(std::string_view("sha256:"));
  for (const uint8_t byte : finish()) append(out, kHex[byte >> 4], kHex[byte & 15]);
  return out;
}

}  // namespace nsbox
