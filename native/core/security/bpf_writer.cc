#include "core/security/bpf_writer.h"

#include <algorithm>

namespace nsbox {

BpfWriter::Label BpfWriter::put(uint16_t code, uint32_t k, uint8_t jt, uint8_t jf) {
  backwards_.push_back({code, jt, jf, k});
  return static_cast<Label>(backwards_.size() - 1);
}

BpfWriter::Label BpfWriter::returning(uint32_t value) {
  for (const Return& known : returns_)
    if (known.value == value) return known.label;
  const Label label = put(BPF_RET | BPF_K, value);
  returns_.push_back({value, label});
  return label;
}

void BpfWriter::fall_through_to(Label next) {
  if (distance(next) != 0) put(BPF_JMP | BPF_JA, distance(next));
}

BpfWriter::Label BpfWriter::load(uint32_t offset, Label next) {
  fall_through_to(next);
  return put(BPF_LD | BPF_W | BPF_ABS, offset);
}

BpfWriter::Label BpfWriter::mask(uint32_t mask, Label next) {
  fall_through_to(next);
  return put(BPF_ALU | BPF_AND | BPF_K, mask);
}

BpfWriter::Label BpfWriter::within_reach(Label target) {
  // One less than 255: the branch's other target may take an instruction yet.
  if (distance(target) < 255) return target;
  const sock_filter there = backwards_[target];
  if (there.code != (BPF_RET | BPF_K)) return put(BPF_JMP | BPF_JA, distance(target));
  for (Return& known : returns_) {
    if (known.value != there.k) continue;
    if (distance(known.label) >= 255) known.label = put(there.code, there.k);
    return known.label;
  }
  return put(there.code, there.k);
}

BpfWriter::Label BpfWriter::branch(uint16_t condition, uint32_t value, Label if_true, Label if_false) {
  if (if_true == if_false) return if_true;
  if_true = within_reach(if_true);
  if_false = within_reach(if_false);
  return put(static_cast<uint16_t>(BPF_JMP | BPF_K | condition), value,
             static_cast<uint8_t>(distance(if_true)), static_cast<uint8_t>(distance(if_false)));
}

Vector<sock_filter> BpfWriter::finish(Label start) {
  fall_through_to(start);
  std::reverse(backwards_.begin(), backwards_.end());
  return std::move(backwards_);
}

}  // namespace nsbox
