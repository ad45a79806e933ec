#pragma once

#include <string_view>

namespace nsbox {

struct ErrnoName {
  int number;
  std::string_view name;  // "EPERM"
  std::string_view text;  // "Operation not permitted"
};

// The entry of an errno; one with an empty name when it is not in the table.
const ErrnoName& errno_name(int number);

}  // namespace nsbox
