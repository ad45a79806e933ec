#include "core/base/number_list.h"

#include <cstdint>
#include <optional>

#include "core/base/text.h"

namespace nsbox {

namespace {

// Every second number, one by one, is shorter than this.
constexpr size_t kLongest = 32768;

struct Range {
  uint64_t first = 0, last = 0;
  uint64_t used = 1, group = 1;  // Of each `group` numbers the first `used`.
};

std::optional<Range> parse_range(std::string_view piece) {
  const bool is_grouped = piece.find(':') != std::string_view::npos;
  std::string_view ends = cut(piece, ':');
  const bool is_range = ends.find('-') != std::string_view::npos;
  const auto first = parse_unsigned(trim(cut(ends, '-')));
  const auto last = is_range ? parse_unsigned(trim(ends)) : first;
  if (!first || !last) return std::nullopt;
  if (!is_grouped) return Range{*first, *last};
  const auto used = parse_unsigned(trim(cut(piece, '/')));
  const auto group = parse_unsigned(trim(piece));
  if (!is_range || !used || !group || *used == 0 || *used > *group) return std::nullopt;
  return Range{*first, *last, *used, *group};
}

}  // namespace

size_t NumberSet::size() const {
  for (size_t i = words_.size(); i-- > 0;)
    if (words_[i] != 0) return (i + 1) * kBits - static_cast<size_t>(__builtin_clzl(words_[i]));
  return 0;
}

Result<NumberSet> parse_number_list(std::string_view text) {
  NumberSet out;
  if (trim(text).empty()) return out;
  if (text.size() > kLongest) return Error::invalid("a list of ", text.size(), " characters is too long");
  for (std::string_view rest = text;;) {
    const bool is_last = rest.find(',') == std::string_view::npos;
    const std::string_view piece = trim(cut(rest, ','));
    const auto range = parse_range(piece);
    if (!range) return Error::invalid("expected a list such as 0-3,7, got ", text);
    if (range->first > range->last) return Error::invalid("the range ", piece, " runs backwards");
    if (range->last >= NumberSet::kLimit) return Error::invalid(range->last, " is more than any machine has");
    for (uint64_t number = range->first; number <= range->last; number++)
      if ((number - range->first) % range->group < range->used) out.add(number);
    if (is_last) return out;
  }
}

}  // namespace nsbox
