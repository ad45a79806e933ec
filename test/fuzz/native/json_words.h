#pragma once

#include <string>
#include <vector>

namespace nsbox::fuzz {

// The words of a target that reads JSON: the language's, and its own.
inline std::vector<std::string> json_words(std::vector<std::string> own) {
  own.insert(own.begin(), {"{", "}", "[", "]", ":", ",", "\"", "null"});
  return own;
}

}  // namespace nsbox::fuzz
