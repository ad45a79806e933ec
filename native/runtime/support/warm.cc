#include "runtime/support/warm.h"

#include <cstdint>

#include "core/sys/raw.h"

// The linker's: where the program begins, and where what it may write does.
extern "C" const char __executable_start[];
extern "C" const char __bss_start[];

namespace nsbox::runtime {
namespace {

constexpr long kPopulateRead = 22;
constexpr uintptr_t kPage = 4096;

uintptr_t down(const char* at) { return reinterpret_cast<uintptr_t>(at) & ~(kPage - 1); }

}  // namespace

void warm_up() {
  const uintptr_t begin = down(__executable_start), end = down(__bss_start);
  // Where the kernel does not know it, pages come with their first touch, as ever.
  sys::call(__NR_madvise, begin, end - begin, kPopulateRead);
}

}  // namespace nsbox::runtime
