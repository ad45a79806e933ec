#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "core/base/error.h"

namespace nsbox {

// Numbers of processors or of memory nodes, bit n for number n, as the kernel's masks have them.
class NumberSet {
 public:
  static constexpr size_t kLimit = 8192;  // As many processors as any configuration of the kernel can have.

  bool has(size_t number) const { return words_[number / kBits] >> number % kBits & 1; }
  void add(size_t number) { words_[number / kBits] |= 1UL << number % kBits; }
  void remove(size_t number) { words_[number / kBits] &= ~(1UL << number % kBits); }
  bool empty() const { return size() == 0; }
  // One more than the largest number.
  size_t size() const;

  const unsigned long* words() const { return words_.data(); }
  unsigned long* words() { return words_.data(); }
  size_t bytes() const { return sizeof words_; }

  friend bool operator==(const NumberSet&, const NumberSet&) = default;

 private:
  static constexpr size_t kBits = 8 * sizeof(unsigned long);
  std::array<unsigned long, kLimit / kBits> words_ = {};
};

// The kernel's list format: "0-3,7", also in groups, "0-31:2/8" (the first two of each eight). Blanks around
// the pieces are nothing; an empty text is the empty set.
Result<NumberSet> parse_number_list(std::string_view text);

}  // namespace nsbox
