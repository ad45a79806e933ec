#pragma once

#include <string>
#include <vector>

// What a fuzzer may give beside its LLVMFuzzerTestOneInput, in its own file or in NAME_seeds.cc: inputs to
// begin with, and words of its language.
namespace nsbox::fuzz {

std::vector<std::string> seeds() __attribute__((weak));
std::vector<std::string> words() __attribute__((weak));

}  // namespace nsbox::fuzz
