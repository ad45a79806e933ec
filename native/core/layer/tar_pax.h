#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/error.h"
#include "core/base/vector.h"

namespace nsbox {

struct PaxRecord {
  String key;
  String value;
};
using PaxRecords = Vector<PaxRecord>;

struct TarTime {
  int64_t seconds = 0;
  uint32_t nanoseconds = 0;
};

// The records of an extended header: "LENGTH KEY=VALUE\n", the length counting itself. Behind others of the
// same key; GNU.sparse.* may come more than once and their order says what they mean.
Status parse_pax(std::string_view text, PaxRecords& out);

// "-12.5": seconds before or after 1970. Nothing for another text.
std::optional<TarTime> parse_pax_time(std::string_view text);

// A number field of a header: octal in digits, or GNU's base 256 with the first bit set. Nothing when it is
// neither, or does not fit.
std::optional<int64_t> parse_tar_number(const uint8_t* field, size_t size);

// A text field: to its NUL or its end.
std::string_view tar_text(const uint8_t* field, size_t size);

}  // namespace nsbox
