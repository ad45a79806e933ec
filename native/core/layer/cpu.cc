#include "core/layer/cpu.h"

#include <atomic>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace nsbox {
namespace {

CpuFeatures ask() {
  CpuFeatures out;
#if defined(__x86_64__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return out;
  const bool sse = (c & bit_SSE4_1) && (c & bit_SSSE3);
  out.pclmul = sse && (c & bit_PCLMUL);
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) out.sha = sse && (b & bit_SHA);
#endif
  return out;
}

}  // namespace

// Two threads that ask at once write the same.
const CpuFeatures& cpu_features() {
  static std::atomic<bool> known;
  static CpuFeatures features;
  if (!known.load(std::memory_order_acquire)) {
    features = ask();
    known.store(true, std::memory_order_release);
  }
  return features;
}

}  // namespace nsbox
