#pragma once

namespace nsbox::runtime {

// Tells core how to go back to a mark: memory is given out upward, and nothing is freed one by one.
void install_memory_hooks();

}  // namespace nsbox::runtime
