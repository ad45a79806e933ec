#pragma once

namespace nsbox {

// Where memory is only given out upward (the executable), work that repeats goes back to a mark when it is
// done. In a program with an ordinary heap this does nothing.
struct MemoryHooks {
  void* (*mark)() = nullptr;
  void (*release)(void* mark) = nullptr;
};
extern MemoryHooks memory_hooks;

class MemoryMark {
 public:
  MemoryMark() : mark_(memory_hooks.mark ? memory_hooks.mark() : nullptr) {}
  ~MemoryMark() {
    if (memory_hooks.release) memory_hooks.release(mark_);
  }
  MemoryMark(const MemoryMark&) = delete;
  MemoryMark& operator=(const MemoryMark&) = delete;

 private:
  void* mark_;
};

}  // namespace nsbox
