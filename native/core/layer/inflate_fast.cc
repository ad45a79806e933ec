// The loop in which nearly all of a stream is decoded: no edge of the input or of the room is near, and all
// it needs is in registers.
#include <bit>
#include <cstring>

#include "core/layer/inflate.h"

namespace nsbox {
namespace {

using huffman::Entry;

static_assert(std::endian::native == std::endian::little);

constexpr unsigned kLiteralMask = (1U << huffman::kLiteralBits) - 1;
constexpr unsigned kDistanceMask = (1U << huffman::kDistanceBits) - 1;
// A distance's code and bits: what must be there after a length.
constexpr unsigned kMostBits = 15 + 5 + 15 + 13;

// Copies at least `length` bytes, up to 16 more.
inline void copy_match(uint8_t* to, unsigned distance, unsigned length) {
  const uint8_t* from = to - distance;
  uint8_t* const end = to + length;
  if (distance >= 16) {
    do {
      memcpy(to, from, 16);
      to += 16;
      from += 16;
    } while (to < end);
  } else if (distance >= 8) {
    do {
      memcpy(to, from, 8);
      to += 8;
      from += 8;
    } while (to < end);
  } else if (distance == 1) {
    memset(to, *from, length);
  } else {
    while (to < end) *to++ = *from++;
  }
}

}  // namespace

// Decodes while there is much input and much room. False when it stands before a code that it cannot take:
// damage, which the careful path names.
bool Inflater::decode_fast() {
  const uint8_t* in = input_.rest_.data();
  const uint8_t* const in_begin = in;
  const uint8_t* const in_last = in + input_.rest_.size() - BitReader::kFastInput;
  uint8_t* out = out_;
  uint8_t* const out_last = end_ - kFastRoom;
  uint64_t bits = input_.peek();
  unsigned count = input_.count();
  const uint8_t* const begin = begin_;
  const uint64_t before = written_;
  const Entry* const literals = literals_.data();
  const Entry* const distances = distances_.data();
  bool progress = false;

  // Eight bytes at once: those that fit whole count, and the rest of them is read again, to the same bits.
  const auto refill = [&] {
    uint64_t more;
    memcpy(&more, in, sizeof more);
    bits |= more << count;
    in += (63 - count) >> 3;
    count |= 56;
  };
  const auto drop = [&](unsigned number) {
    bits >>= number;
    count -= number;
  };

  while (in <= in_last && out <= out_last) {
    refill();
    Entry entry = literals[bits & kLiteralMask];
    if (entry & huffman::kLiteral) {
      drop(huffman::drop_of(entry));
      *out++ = static_cast<uint8_t>(entry >> 16);
      entry = literals[bits & kLiteralMask];
      if (entry & huffman::kLiteral) {
        drop(huffman::drop_of(entry));
        *out++ = static_cast<uint8_t>(entry >> 16);
        entry = literals[bits & kLiteralMask];
        if (entry & huffman::kLiteral) {
          drop(huffman::drop_of(entry));
          *out++ = static_cast<uint8_t>(entry >> 16);
          progress = true;
          continue;
        }
      }
      progress = true;
      if (count < kMostBits) {
        if (in > in_last) break;
        refill();
      }
    }
    // From here on nothing is final until the whole symbol is known.
    uint64_t ahead = bits;
    unsigned used = 0;
    if (entry & huffman::kSpecial) {
      if (!(entry & huffman::kSecond)) break;
      ahead >>= huffman::kLiteralBits;
      used = huffman::kLiteralBits;
      entry = literals[huffman::value_of(entry) + (ahead & ((1U << huffman::code_of(entry)) - 1))];
      if (entry & huffman::kLiteral) {
        drop(used + huffman::drop_of(entry));
        *out++ = static_cast<uint8_t>(entry >> 16);
        progress = true;
        continue;
      }
      if (entry & huffman::kSpecial) break;
    }
    const auto extra_of = [&](Entry one) {
      const uint64_t all = ahead & ((uint64_t{1} << huffman::drop_of(one)) - 1);
      return static_cast<unsigned>(all >> huffman::code_of(one)) + huffman::value_of(one);
    };
    const unsigned length = extra_of(entry);
    ahead >>= huffman::drop_of(entry);
    used += huffman::drop_of(entry);
    Entry distance_entry = distances[ahead & kDistanceMask];
    if (distance_entry & huffman::kSpecial) {
      if (!(distance_entry & huffman::kSecond)) break;
      ahead >>= huffman::kDistanceBits;
      used += huffman::kDistanceBits;
      const unsigned width = huffman::code_of(distance_entry);
      distance_entry = distances[huffman::value_of(distance_entry) + (ahead & ((1U << width) - 1))];
      if (distance_entry & huffman::kSpecial) break;
    }
    const unsigned distance = extra_of(distance_entry);
    used += huffman::drop_of(distance_entry);
    if (distance > before + static_cast<uint64_t>(out - begin)) break;
    drop(used);
    copy_match(out, distance, length);
    out += length;
    progress = true;
  }
  input_.rest_ = input_.rest_.subspan(static_cast<size_t>(in - in_begin));
  input_.bits_ = bits;
  input_.count_ = count;
  out_ = out;
  return progress;
}

}  // namespace nsbox
