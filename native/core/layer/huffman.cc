#include "core/layer/huffman.h"

#include <algorithm>

namespace nsbox::huffman {
namespace {

constexpr unsigned kMaxBits = 15;

struct Extra {
  uint16_t base;
  uint8_t bits;
};
// Lengths of symbols 257 to 285 and distances of 0 to 29 (section 3.2.5).
constexpr Extra kLengthExtras[29] = {
    {3, 0},  {4, 0},  {5, 0},  {6, 0},   {7, 0},   {8, 0},   {9, 0},   {10, 0},  {11, 1}, {13, 1},
    {15, 1}, {17, 1}, {19, 2}, {23, 2},  {27, 2},  {31, 2},  {35, 3},  {43, 3},  {51, 3}, {59, 3},
    {67, 4}, {83, 4}, {99, 4}, {115, 4}, {131, 5}, {163, 5}, {195, 5}, {227, 5}, {258, 0}};
constexpr Extra kDistanceExtras[30] = {
    {1, 0},     {2, 0},     {3, 0},     {4, 0},      {5, 1},      {7, 1},     {9, 2},     {13, 2},
    {17, 3},    {25, 3},    {33, 4},    {49, 4},     {65, 5},     {97, 5},    {129, 6},   {193, 6},
    {257, 7},   {385, 7},   {513, 8},   {769, 8},    {1025, 9},   {1537, 9},  {2049, 10}, {3073, 10},
    {4097, 11}, {6145, 11}, {8193, 12}, {12289, 12}, {16385, 13}, {24577, 13}};

constexpr Entry with_extra(Extra extra) { return Entry{extra.base} << 16 | extra.bits; }

// The entry of a symbol whose code has no bits yet.
Entry entry_of(Alphabet alphabet, unsigned symbol) {
  if (alphabet == Alphabet::kLengths) return symbol << 16;
  if (alphabet == Alphabet::kDistances) return symbol < 30 ? with_extra(kDistanceExtras[symbol]) : kSpecial;
  if (symbol < 256) return kLiteral | symbol << 16;
  if (symbol == 256) return kSpecial | kEnd;
  return symbol < 286 ? with_extra(kLengthExtras[symbol - 257]) : kSpecial;
}

Entry with_code(Entry entry, unsigned bits) { return entry + (bits << 8 | bits); }

unsigned reversed(unsigned code, unsigned bits) {
  unsigned out = 0;
  for (; bits; bits--, code >>= 1) out = out << 1 | (code & 1);
  return out;
}

// Every place whose low bits are the code.
void fill(std::span<Entry> table, unsigned code, unsigned bits, Entry entry) {
  for (size_t at = code; at < table.size(); at += size_t{1} << bits) table[at] = entry;
}

class Builder {
 public:
  Builder(Alphabet alphabet, std::span<const uint8_t> lengths, std::span<Entry> table, unsigned bits)
      : alphabet_(alphabet), lengths_(lengths), table_(table), bits_(bits) {}

  Status build() {
    for (const uint8_t length : lengths_) counts_[length]++;
    std::fill(table_.begin(), table_.end(), kSpecial);
    TRY(check_counts());
    sort_symbols();
    return fill_tables();
  }

 private:
  // The codes of each length take their share of all; nothing may be left, and nothing missing.
  Status check_counts() const {
    int64_t left = 1;
    unsigned codes = 0;
    for (unsigned bits = 1; bits <= kMaxBits; bits++) {
      left = left * 2 - counts_[bits];
      codes += counts_[bits];
      if (left < 0) return Error::invalid("oversubscribed codes");
    }
    const bool may_be_few = alphabet_ == Alphabet::kDistances && (codes == 0 || (codes == 1 && counts_[1]));
    if (left > 0 && !may_be_few) return Error::invalid("codes with gaps");
    return Ok{};
  }

  // By length, and by value within one: the order in which codes are given out (section 3.2.2).
  void sort_symbols() {
    uint16_t at[kMaxBits + 1] = {};
    for (unsigned bits = 1; bits < kMaxBits; bits++)
      at[bits + 1] = static_cast<uint16_t>(at[bits] + counts_[bits]);
    for (size_t symbol = 0; symbol < lengths_.size(); symbol++)
      if (lengths_[symbol]) sorted_[at[lengths_[symbol]]++] = static_cast<uint16_t>(symbol);
  }

  Status fill_tables() {
    const size_t first = size_t{1} << bits_;
    unsigned code = 0;
    size_t next_symbol = 0;
    for (unsigned bits = 1; bits <= kMaxBits; bits++, code <<= 1)
      for (unsigned n = 0; n < counts_[bits]; n++, code++) {
        const Entry entry = entry_of(alphabet_, sorted_[next_symbol++]);
        const unsigned path = reversed(code, bits);
        if (bits <= bits_)
          fill(table_.first(first), path, bits, with_code(entry, bits));
        else
          TRY(fill_second(path, bits, n, entry));
      }
    return Ok{};
  }

  // Long codes with the same beginning share a table, which starts at the first of them.
  Status fill_second(unsigned path, unsigned bits, unsigned nth, Entry entry) {
    Entry& way = table_[path & ((1U << bits_) - 1)];
    if (!(way & kSecond)) {
      const unsigned width = width_of_second(bits, counts_[bits] - nth);
      if (used_ == 0) used_ = size_t{1} << bits_;
      if (used_ + (size_t{1} << width) > table_.size()) return Error::invalid("codes that are too long");
      way = kSpecial | kSecond | static_cast<Entry>(used_) << 16 | width << 8 | bits_;
      used_ += size_t{1} << width;
    }
    fill(table_.subspan(value_of(way), size_t{1} << code_of(way)), path >> bits_, bits - bits_,
         with_code(entry, bits - bits_));
    return Ok{};
  }

  // How many bits the codes behind this one, those in the same table, need at most.
  unsigned width_of_second(unsigned bits, unsigned codes) const {
    unsigned width = bits - bits_;
    for (unsigned room = codes; room < 1U << width; room = room * 2 + counts_[bits_ + width]) width++;
    return width;
  }

  Alphabet alphabet_;
  std::span<const uint8_t> lengths_;
  std::span<Entry> table_;
  unsigned bits_;
  uint16_t counts_[kMaxBits + 1] = {};
  uint16_t sorted_[kLiteralSymbols] = {};
  size_t used_ = 0;
};

}  // namespace

Status build(Alphabet alphabet, std::span<const uint8_t> lengths, std::span<Entry> table, unsigned bits) {
  return Builder(alphabet, lengths, table, bits).build();
}

}  // namespace nsbox::huffman
