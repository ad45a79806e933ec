#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/vector.h"

namespace nsbox {

// The whole text as a decimal number: no sign, no blank, no leading plus. Nothing otherwise.
std::optional<uint64_t> parse_unsigned(std::string_view text);
// A user or group id: decimal, 0 to 2^32-2, the whole text; (2^32-1 is "no id" to the kernel).
std::optional<uint32_t> parse_id(std::string_view text);

// The pieces between separators, empty ones too.
Vector<std::string_view> split(std::string_view text, char separator);
// Cuts the first piece off `rest` and returns it; `rest` becomes what is behind the separator.
std::string_view cut(std::string_view& rest, char separator);
std::string_view trim(std::string_view text);

}  // namespace nsbox
