#pragma once

#include <vector>

namespace nsbox {

// In the executable, memory comes from an arena that its life never outgrows (runtime/support/heap.cc); in
// the addon and the tests, from the C library.
template <typename T>
using Vector = std::vector<T>;

}  // namespace nsbox
