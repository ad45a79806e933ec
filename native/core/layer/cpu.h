#pragma once

namespace nsbox {

// What this processor has beyond what the compiler may assume.
struct CpuFeatures {
  bool pclmul = false;
  bool sha = false;
};

// Asked once: in a virtual machine the instruction that tells takes microseconds.
const CpuFeatures& cpu_features();

}  // namespace nsbox
