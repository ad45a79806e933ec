#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace nsbox {

// "1.5" times a unit, rounded down: 1.5 KiB is 1536. Nothing when the text is no decimal number ("1", "1.5",
// ".5", "1."), or the product does not fit.
std::optional<uint64_t> scaled_decimal(std::string_view text, uint64_t unit);

// A number of bytes as people write them: "512", "64k", "1.5G", "20MiB"; the letters count by 1024 and their
// case does not matter. Nothing for another text.
std::optional<uint64_t> parse_size(std::string_view text);

}  // namespace nsbox
