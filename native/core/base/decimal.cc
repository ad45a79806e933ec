#include "core/base/decimal.h"

namespace nsbox {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

std::optional<uint64_t> scaled_decimal(std::string_view text, uint64_t unit) {
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = point == std::string_view::npos ? "" : text.substr(point + 1);
  if (whole.empty() && fraction.empty()) return {};
  uint64_t value = 0;
  for (const char c : whole) {
    if (!is_digit(c) || __builtin_mul_overflow(value, 10, &value) ||
        __builtin_add_overflow(value, static_cast<uint64_t>(c - '0'), &value))
      return {};
  }
  if (__builtin_mul_overflow(value, unit, &value)) return {};
  // So many digits that no product below overflows.
  constexpr size_t kMostDigits = 9;
  uint64_t numerator = 0, denominator = 1;
  for (size_t i = 0; i < fraction.size(); i++) {
    if (!is_digit(fraction[i])) return {};
    if (i >= kMostDigits) continue;
    numerator = numerator * 10 + static_cast<uint64_t>(fraction[i] - '0');
    denominator *= 10;
  }
  const uint64_t part = unit / denominator * numerator + unit % denominator * numerator / denominator;
  if (__builtin_add_overflow(value, part, &value)) return {};
  return value;
}

std::optional<uint64_t> parse_size(std::string_view text) {
  constexpr std::string_view kLetters = "kmgtp";
  if (text.empty() || !is_digit(text[0])) return {};
  size_t end = text.size();
  while (end > 0 && !is_digit(text[end - 1]) && text[end - 1] != '.') end--;
  const std::string_view digits = text.substr(0, end);
  std::string_view suffix = text.substr(end);
  if (suffix.starts_with(' ')) suffix.remove_prefix(1);
  uint64_t unit = 1;
  if (!suffix.empty()) {
    const size_t at = kLetters.find(lower(suffix[0]));
    if (at != std::string_view::npos) {
      unit = uint64_t{1} << (10 * (at + 1));
      suffix.remove_prefix(1);
      if (!suffix.empty() && lower(suffix[0]) == 'i') suffix.remove_prefix(1);
    }
    if (!suffix.empty() && lower(suffix[0]) == 'b') suffix.remove_prefix(1);
    if (!suffix.empty()) return {};
  }
  const auto value = scaled_decimal(digits, unit);
  if (!value || *value > INT64_MAX) return {};
  return value;
}

}  // namespace nsbox
