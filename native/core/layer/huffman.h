#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/base/error.h"

// Decoding tables for DEFLATE's prefix codes (RFC 1951, section 3.2): one look at the next bits tells a
// symbol, or the second table that does.
namespace nsbox::huffman {

// An entry, from the lowest bit: how many bits to drop, those that go with a length or distance included (5);
// the code's own part of them (8 to 11); what it is (13 to 15); the value (16 to 30); a literal (31).
using Entry = uint32_t;
inline constexpr Entry kLiteral = 1U << 31;
inline constexpr Entry kSpecial = 1U << 15;  // None of literal, length or distance.
inline constexpr Entry kSecond = 1U << 14;   // Its value is where the second table begins.
inline constexpr Entry kEnd = 1U << 13;      // Of the block.
// Special and nothing else: a code that stands for nothing.

constexpr unsigned drop_of(Entry entry) { return entry & 0x1F; }
constexpr unsigned code_of(Entry entry) { return entry >> 8 & 0xF; }
constexpr unsigned value_of(Entry entry) { return entry >> 16 & 0x7FFF; }

inline constexpr unsigned kLiteralBits = 11, kDistanceBits = 8, kLengthsBits = 7;
inline constexpr size_t kLiteralSymbols = 288, kDistanceSymbols = 32, kLengthSymbols = 19;
// A second table is as wide as its longest code needs. The sizes are the most that any complete code makes,
// rounded up; build() refuses to go beyond them.
inline constexpr size_t kLiteralTable = 2560, kDistanceTable = 512;

enum class Alphabet : uint8_t { kLiterals, kDistances, kLengths };

// `lengths`: each symbol's number of bits, 0 for none. Refuses what no encoder makes: a code that is
// oversubscribed or has gaps, but for a single distance, and none.
Status build(Alphabet alphabet, std::span<const uint8_t> lengths, std::span<Entry> table, unsigned bits);

}  // namespace nsbox::huffman
