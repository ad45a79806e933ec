#pragma once

#include <span>
#include <string_view>

#include "core/base/string.h"
#include "core/base/vector.h"

namespace nsbox {

// Lines of cells, the columns below each other as Go's tabwriter sets them when it is asked for columns of at
// least 12 with 3 blanks between: what callers of runc's `list` cut up.
class Table {
 public:
  explicit Table(std::span<const std::string_view> names) { add(names); }
  void add(std::span<const std::string_view> cells);
  String text() const;

 private:
  Vector<Vector<String>> rows_;
};

}  // namespace nsbox
