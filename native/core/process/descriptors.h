#pragma once

#include <span>

namespace nsbox {

// Closes every descriptor from `from` on but those in `kept`, which it puts in order. Close-on-exec is not
// enough before a program of a container's: the kernel looks its path up, and its interpreter's, while all
// are still open, and both may lead through /proc/self/fd. Takes no memory.
void close_all_but(unsigned from, std::span<int> kept);

}  // namespace nsbox
