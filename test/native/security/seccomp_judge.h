#pragma once

#include <linux/seccomp.h>

#include <cstdint>
#include <random>
#include <string>

#include "core/security/seccomp_compile.h"
#include "security/seccomp_oracle.h"

// Holds a compiled profile against what its words mean and, where the library is there, against libseccomp's
// program, call by call.
namespace nsbox::test {

struct Verdict {
  size_t calls = 0;          // How many were looked at.
  size_t library_slips = 0;  // Where libseccomp's program does not do what the words mean.
  bool refused = false;      // libseccomp does not take the profile.
  std::string difference;    // Our first fault, in words; empty where there is none.
};

// `random` picks the arguments that are tried, around the values that the profile compares with.
Verdict judge(const SeccompProfile& profile, Architecture native, std::mt19937_64& random);

seccomp_data call_data(Architecture architecture, uint32_t number, const Arguments& arguments);

}  // namespace nsbox::test
