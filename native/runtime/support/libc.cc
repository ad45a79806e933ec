#include <cstddef>
#include <cstdint>

// The few functions that the compiler itself calls. Built with -fno-builtin and without loop-to-call
// patterns, so that none of them becomes a call of itself.

extern "C" {

void* memcpy(void* __restrict to, const void* __restrict from, size_t size) {
#if defined(__x86_64__)
  void* at = to;
  asm volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(size) : : "memory");
#else
  auto* out = static_cast<unsigned char*>(to);
  const auto* in = static_cast<const unsigned char*>(from);
  while (size--) *out++ = *in++;
#endif
  return to;
}

void* memmove(void* to, const void* from, size_t size) {
  auto* out = static_cast<unsigned char*>(to);
  const auto* in = static_cast<const unsigned char*>(from);
  if (out <= in || out >= in + size) return memcpy(to, from, size);
  while (size--) out[size] = in[size];
  return to;
}

void* memset(void* to, int byte, size_t size) {
#if defined(__x86_64__)
  void* at = to;
  asm volatile("rep stosb" : "+D"(at), "+c"(size) : "a"(byte) : "memory");
#else
  auto* out = static_cast<unsigned char*>(to);
  while (size--) *out++ = static_cast<unsigned char>(byte);
#endif
  return to;
}

int memcmp(const void* a, const void* b, size_t size) {
  const auto* left = static_cast<const unsigned char*>(a);
  const auto* right = static_cast<const unsigned char*>(b);
  for (; size--; left++, right++)
    if (*left != *right) return *left - *right;
  return 0;
}

void* memchr(const void* text, int byte, size_t size) {
  const auto* at = static_cast<const unsigned char*>(text);
  for (; size--; at++)
    if (*at == static_cast<unsigned char>(byte)) return const_cast<unsigned char*>(at);
  return nullptr;
}

size_t strlen(const char* text) {
  const char* end = text;
  while (*end) end++;
  return static_cast<size_t>(end - text);
}

}  // extern "C"
