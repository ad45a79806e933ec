#include "core/security/bpf_tree.h"

namespace nsbox {

void append_range(Vector<BpfRange>& ranges, uint32_t start, BpfLeaf leaf) {
  while (!ranges.empty() && ranges.back().start == start) ranges.pop_back();
  if (!ranges.empty() && ranges.back().leaf == leaf) return;
  ranges.push_back({start, leaf});
}

}  // namespace nsbox
