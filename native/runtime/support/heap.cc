#include "runtime/support/heap.h"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

#include "core/base/memory_mark.h"
#include "core/sys/syscalls.h"

namespace nsbox::runtime {
namespace {

// Address space, not memory: pages come with their first touch.
constexpr size_t kReserve = size_t{256} * 1024 * 1024;
constexpr size_t kFirst = size_t{192} * 1024;

// The first part lies in .bss, so that a short life makes no mmap: the longest message and what a plan
// becomes have room in it.
alignas(16) char first[kFirst];
char* next = first;
char* end = first + kFirst;

[[noreturn]] void out_of_memory() {
  constexpr char kText[] = "nsbox-runtime: out of memory\n";
  (void)sys::write(2, kText, sizeof kText - 1);
  sys::exit(70);
}

void reserve_more() {
  auto more = sys::mmap(kReserve, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
  if (!more) out_of_memory();
  next = static_cast<char*>(*more);
  end = next + kReserve;
}

void* allocate(size_t size) {
  size = (size + 15) & ~size_t{15};
  if (static_cast<size_t>(end - next) < size) {
    if (next >= first && next <= first + kFirst && size <= kReserve) reserve_more();
    if (static_cast<size_t>(end - next) < size) out_of_memory();
  }
  char* const given = next;
  next += size;
  return given;
}

}  // namespace

void install_memory_hooks() {
  memory_hooks.mark = [] { return static_cast<void*>(next); };
  memory_hooks.release = [](void* mark) {
    const auto in_first = [](const char* at) { return at >= first && at <= first + kFirst; };
    // A mark in the first part with the heap now in the reserve: the reserve starts again from its beginning.
    next = in_first(static_cast<char*>(mark)) && !in_first(next) ? end - kReserve : static_cast<char*>(mark);
  };
}

}  // namespace nsbox::runtime

void* operator new(size_t size) { return nsbox::runtime::allocate(size); }
void* operator new[](size_t size) { return nsbox::runtime::allocate(size); }
void operator delete(void*) noexcept {}
void operator delete[](void*) noexcept {}
void operator delete(void*, size_t) noexcept {}
void operator delete[](void*, size_t) noexcept {}

// What the standard library's headers call instead of throwing, and what a failed assert calls.
extern "C" {
[[noreturn]] void abort() { nsbox::sys::exit(134); }
[[noreturn]] void __assert_fail(const char*, const char*, unsigned, const char*) noexcept { abort(); }
[[noreturn]] void __cxa_pure_virtual() { abort(); }
}
namespace std {
[[noreturn]] void __throw_length_error(const char*) { abort(); }
[[noreturn]] void __throw_out_of_range_fmt(const char*, ...) { abort(); }
[[noreturn]] void __throw_logic_error(const char*) { abort(); }
[[noreturn]] void __throw_bad_alloc() { abort(); }
[[noreturn]] void __throw_bad_array_new_length() { abort(); }
[[noreturn]] void __glibcxx_assert_fail(const char*, int, const char*, const char*) noexcept { abort(); }
}  // namespace std
