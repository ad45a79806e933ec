#pragma once

#include <linux/filter.h>

#include <cstddef>
#include <cstdint>

#include "core/base/vector.h"

namespace nsbox {

// Writes a classic BPF program from its end to its start: BPF jumps only forward, so every target is there,
// and its distance known, before a jump to it is written. A conditional jump reaches 255 instructions; where
// a target is farther, a copy of it (of a return) or a long jump to it is put nearer.
class BpfWriter {
 public:
  // An instruction, counted from the program's end.
  using Label = uint32_t;

  explicit BpfWriter(size_t expected_size) { backwards_.reserve(expected_size); }

  // Somewhere that returns the value: an instruction that is there already, or a new one.
  Label returning(uint32_t value);
  // A = the word at this offset of seccomp_data; then goes on at `next`.
  Label load(uint32_t offset, Label next);
  // A &= mask; then goes on at `next`.
  Label mask(uint32_t mask, Label next);
  // `condition` is BPF_JEQ, BPF_JGT, BPF_JGE or BPF_JSET.
  Label branch(uint16_t condition, uint32_t value, Label if_true, Label if_false);

  size_t size() const { return backwards_.size(); }
  // The program; it starts at `start`, which must be the last instruction written, or is made so.
  Vector<sock_filter> finish(Label start);

 private:
  struct Return {
    uint32_t value;
    Label label;
  };

  Label put(uint16_t code, uint32_t k, uint8_t jt = 0, uint8_t jf = 0);
  void fall_through_to(Label next);
  Label within_reach(Label target);
  uint32_t distance(Label target) const { return static_cast<uint32_t>(backwards_.size()) - target - 1; }

  Vector<sock_filter> backwards_;
  Vector<Return> returns_;  // The nearest instruction for each value.
};

}  // namespace nsbox
