#pragma once

#include <cstdint>
#include <span>

#include "core/base/vector.h"
#include "core/security/bpf_writer.h"

// Finds the range that the word in A lies in by halving, which takes a dozen comparisons at most.
namespace nsbox {

// Where a range leads.
struct BpfLeaf {
  enum class Kind : uint8_t {
    kReturn,  // value: what the filter answers
    kLabel,   // value: an instruction that is written already
    kCode,    // value: the caller's number of something to be written
  };
  Kind kind = Kind::kReturn;
  uint32_t value = 0;

  bool operator==(const BpfLeaf&) const = default;
};

// From `start` to the next range's start, or to the end of all words.
struct BpfRange {
  uint32_t start = 0;
  BpfLeaf leaf;
};

// Adds a range behind the others; one that leads where the last one does becomes part of it, one that starts
// where the last one does replaces it.
void append_range(Vector<BpfRange>& ranges, uint32_t start, BpfLeaf leaf);

// Writes the search; `write_code` writes what a kCode leaf stands for. The first range must start at 0.
template <typename WriteCode>
BpfWriter::Label write_tree(BpfWriter& writer, std::span<const BpfRange> ranges,
                            const WriteCode& write_code) {
  if (ranges.size() == 1) {
    const BpfLeaf& leaf = ranges[0].leaf;
    if (leaf.kind == BpfLeaf::Kind::kReturn) return writer.returning(leaf.value);
    return leaf.kind == BpfLeaf::Kind::kLabel ? BpfWriter::Label{leaf.value} : write_code(leaf);
  }
  // One word between two ranges that lead to the same place takes one comparison, not two.
  if (ranges.size() == 3 && ranges[0].leaf == ranges[2].leaf && ranges[2].start - ranges[1].start == 1) {
    const BpfWriter::Label around = write_tree(writer, ranges.subspan(2), write_code);
    const BpfWriter::Label inside = write_tree(writer, ranges.subspan(1, 1), write_code);
    return writer.branch(BPF_JEQ, ranges[1].start, inside, around);
  }
  const size_t middle = ranges.size() / 2;
  const BpfWriter::Label above = write_tree(writer, ranges.subspan(middle), write_code);
  const BpfWriter::Label below = write_tree(writer, ranges.first(middle), write_code);
  return writer.branch(BPF_JGE, ranges[middle].start, above, below);
}

}  // namespace nsbox
