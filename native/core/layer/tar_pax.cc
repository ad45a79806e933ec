#include "core/layer/tar_pax.h"

#include "core/base/text.h"

namespace nsbox {
namespace {

Error bad_record() { return Error::invalid("a pax record that is not LENGTH KEY=VALUE"); }

std::optional<int64_t> parse_base_256(const uint8_t* field, size_t size) {
  // Two's complement, of which the first byte's first bit only says "not octal".
  const bool negative = field[0] & 0x40;
  uint64_t value = negative ? ~uint64_t{0} : 0;
  for (size_t i = 0; i < size; i++) {
    const uint8_t byte = i ? field[i] : static_cast<uint8_t>(negative ? field[0] | 0x80 : field[0] & 0x7F);
    const uint64_t spare = value >> 55;
    if (spare != (negative ? 0x1FF : 0)) return std::nullopt;
    value = value << 8 | byte;
  }
  return static_cast<int64_t>(value);
}

bool is_blank(uint8_t byte) { return byte == ' ' || byte == '\0'; }

}  // namespace

Status parse_pax(std::string_view text, PaxRecords& out) {
  while (!text.empty()) {
    const size_t space = text.find(' ');
    if (space == std::string_view::npos || space > 7) return bad_record();
    const auto length = parse_unsigned(text.substr(0, space));
    if (!length || *length > text.size() || *length < space + 4) return bad_record();
    std::string_view record = text.substr(space + 1, *length - space - 1);
    text.remove_prefix(*length);
    if (record.back() != '\n') return bad_record();
    record.remove_suffix(1);
    const size_t equals = record.find('=');
    if (equals == std::string_view::npos || equals == 0) return bad_record();
    const std::string_view key = record.substr(0, equals);
    if (key.find('\0') != std::string_view::npos) return bad_record();
    out.push_back({String(key), String(record.substr(equals + 1))});
  }
  return Ok{};
}

std::optional<TarTime> parse_pax_time(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto seconds = parse_unsigned(cut(text, '.'));
  if (!seconds || *seconds > INT64_MAX / 2) return std::nullopt;
  uint32_t nanoseconds = 0;
  uint32_t unit = 100'000'000;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    nanoseconds += static_cast<uint32_t>(digit - '0') * unit;
    unit /= 10;
  }
  const auto whole = static_cast<int64_t>(*seconds);
  if (!negative) return TarTime{whole, nanoseconds};
  // The kernel counts nanoseconds upward only: -1.25 is 0.75 behind -2.
  if (nanoseconds == 0) return TarTime{-whole, 0};
  return TarTime{-whole - 1, 1'000'000'000 - nanoseconds};
}

std::optional<int64_t> parse_tar_number(const uint8_t* field, size_t size) {
  if (field[0] & 0x80) return parse_base_256(field, size);
  size_t at = 0;
  while (at < size && is_blank(field[at])) at++;
  size_t end = size;
  while (end > at && is_blank(field[end - 1])) end--;
  int64_t value = 0;
  for (; at < end; at++) {
    // Some old archivers leave rubbish behind the NUL that ends the number.
    if (is_blank(field[at])) break;
    if (field[at] < '0' || field[at] > '7') return std::nullopt;
    value = value << 3 | (field[at] - '0');  // At most 12 digits: fits.
  }
  return value;
}

std::string_view tar_text(const uint8_t* field, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(field), size);
  return text.substr(0, text.find('\0'));
}

}  // namespace nsbox
