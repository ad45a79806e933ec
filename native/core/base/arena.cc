#include "core/base/arena.h"

#include <cstring>
#include <new>
#include <utility>

namespace nsbox {

namespace {
constexpr size_t kAlignment = 16;
constexpr size_t kChunk = size_t{16} * 1024;

constexpr size_t aligned(size_t size) { return (size + kAlignment - 1) & ~(kAlignment - 1); }
}  // namespace

Arena::~Arena() {
  while (chunks_) {
    Chunk* next = chunks_->next;
    ::operator delete(chunks_);
    chunks_ = next;
  }
}

void* Arena::allocate(size_t size) {
  size = aligned(size);
  if (!next_ || static_cast<size_t>(end_ - next_) < size) {
    const size_t header = aligned(sizeof(Chunk));
    const size_t length = header + (size > kChunk ? size : kChunk);
    auto* chunk = static_cast<Chunk*>(::operator new(length));
    chunk->next = chunks_;
    chunks_ = chunk;
    next_ = reinterpret_cast<char*>(chunk) + header;
    end_ = reinterpret_cast<char*>(chunk) + length;
  }
  return std::exchange(next_, next_ + size);
}

std::string_view Arena::copy(std::string_view text) {
  char* to = static_cast<char*>(allocate(text.size() + 1));
  if (!text.empty()) memcpy(to, text.data(), text.size());
  to[text.size()] = '\0';
  return {to, text.size()};
}

}  // namespace nsbox
