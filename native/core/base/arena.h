#pragma once

#include <cstddef>
#include <new>
#include <span>
#include <string_view>

namespace nsbox {

// Memory that is given out piece by piece and freed all at once, when the arena ends.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  // Aligned for every scalar type; aborts when there is no memory.
  void* allocate(size_t size);
  // A copy that ends in a NUL.
  std::string_view copy(std::string_view text);

  template <typename T>
  T* allocate_array(size_t count) {
    return static_cast<T*>(allocate(count * sizeof(T)));
  }
  template <typename T>
  std::span<T> copy_array(std::span<const T> from) {
    T* to = allocate_array<T>(from.size());
    for (size_t i = 0; i < from.size(); i++) new (to + i) T(from[i]);
    return {to, from.size()};
  }

 private:
  struct Chunk {
    Chunk* next;
  };
  Chunk* chunks_ = nullptr;
  char* next_ = nullptr;
  char* end_ = nullptr;
};

}  // namespace nsbox
