#pragma once

#include <string_view>

#include "core/base/error.h"
#include "core/base/string.h"

namespace nsbox::runtime {

// An extended regular expression over ids: literals, ".", "[a-z]" and "[^…]", "*", "+", "?", "^", "$", groups
// and "|"; a backslash takes the next character as it is. It matches anywhere unless anchored.
class Pattern {
 public:
  static Result<Pattern> parse(std::string_view text);
  bool matches(std::string_view text) const;

 private:
  explicit Pattern(std::string_view text) : text_(text) {}

  String text_;
};

}  // namespace nsbox::runtime
