#include "core/base/duration.h"

#include "core/base/decimal.h"

namespace nsbox {
namespace {

struct Unit {
  std::string_view name;
  uint64_t nanoseconds;
};
// "\u00b5" and "\u03bc" are both in use as the micro sign.
constexpr Unit kUnits[] = {
    {"ns", 1},         {"us", 1'000},        {"\u00b5s", 1'000},    {"\u03bcs", 1'000},
    {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000}};

uint64_t unit_named(std::string_view name) {
  for (const Unit& unit : kUnits)
    if (unit.name == name) return unit.nanoseconds;
  return 0;
}

bool is_of_number(char c) { return (c >= '0' && c <= '9') || c == '.'; }

// Cuts off what is of a number, or what is not.
std::string_view take(std::string_view& rest, bool of_number) {
  size_t size = 0;
  while (size < rest.size() && is_of_number(rest[size]) == of_number) size++;
  const std::string_view out = rest.substr(0, size);
  rest.remove_prefix(size);
  return out;
}

}  // namespace

Result<uint64_t> parse_duration(std::string_view text) {
  const Error invalid =
      Error::invalid("invalid duration \"", text, "\": expected one like 5s, 500ms or 1m30s");
  std::string_view rest = text;
  if (rest.starts_with('+')) rest.remove_prefix(1);
  if (rest == "0") return uint64_t{0};
  if (rest.empty()) return invalid;
  constexpr uint64_t kMost = INT64_MAX;
  uint64_t total = 0;
  while (!rest.empty()) {
    const std::string_view digits = take(rest, true);
    const uint64_t unit = unit_named(take(rest, false));
    const auto value = unit ? scaled_decimal(digits, unit) : std::nullopt;
    if (!value || *value > kMost - total) return invalid;
    total += *value;
  }
  return total;
}

}  // namespace nsbox
