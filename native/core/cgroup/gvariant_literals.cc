#include "core/cgroup/gvariant_literals.h"

#include <cstdint>

namespace nsbox::cgroup {

namespace {

int digit_of(char c, int base) {
  int value = 99;
  if (c >= '0' && c <= '9') value = c - '0';
  if (c >= 'a' && c <= 'f') value = c - 'a' + 10;
  if (c >= 'A' && c <= 'F') value = c - 'A' + 10;
  return value < base ? value : -1;
}

bool is_word_character(char c) {
  return digit_of(c, 16) >= 0 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' ||
         c == '+' || c == '-';
}

std::string_view take_word(std::string_view& rest) {
  size_t size = 0;
  while (size < rest.size() && is_word_character(rest[size])) size++;
  const std::string_view word = rest.substr(0, size);
  rest.remove_prefix(size);
  return word;
}

bool parse_whole(std::string_view digits, uint64_t& out) {
  int base = 10;
  if (digits.starts_with("0x") || digits.starts_with("0X")) {
    base = 16;
    digits.remove_prefix(2);
  } else if (digits.size() > 1 && digits[0] == '0') {
    base = 8;
    digits.remove_prefix(1);
  }
  if (digits.empty()) return false;
  out = 0;
  for (const char c : digits) {
    const int digit = digit_of(c, base);
    if (digit < 0 || __builtin_mul_overflow(out, static_cast<uint64_t>(base), &out) ||
        __builtin_add_overflow(out, static_cast<uint64_t>(digit), &out))
      return false;
  }
  return true;
}

// Good to fifteen digits or so, which is more than any property of a unit needs.
bool parse_real(std::string_view text, double& out) {
  out = 0;
  double scale = 1;
  bool fraction = false, digits = false;
  size_t i = 0;
  for (; i < text.size() && text[i] != 'e' && text[i] != 'E'; i++) {
    if (text[i] == '.' && !fraction) {
      fraction = true;
      continue;
    }
    const int digit = digit_of(text[i], 10);
    if (digit < 0) return false;
    digits = true;
    out = out * 10 + digit;
    if (fraction) scale *= 10;
  }
  out /= scale;
  if (!digits || i == text.size()) return digits;
  std::string_view exponent = text.substr(i + 1);
  const bool smaller = exponent.starts_with('-');
  if (smaller || exponent.starts_with('+')) exponent.remove_prefix(1);
  if (exponent.empty() || exponent.size() > 3) return false;
  int power = 0;
  for (const char c : exponent) {
    if (digit_of(c, 10) < 0) return false;
    power = power * 10 + digit_of(c, 10);
  }
  for (; power > 0; power--) out = smaller ? out / 10 : out * 10;
  return true;
}

Result<GVariant> parse_number(std::string_view word) {
  GVariant value;
  std::string_view digits = word;
  value.negative = digits.starts_with('-');
  if (value.negative || digits.starts_with('+')) digits.remove_prefix(1);
  value.kind = GVariantKind::kNumber;
  if (parse_whole(digits, value.number)) return value;
  value.kind = GVariantKind::kReal;
  const bool is_real =
      digits.find_first_of(".eE") != std::string_view::npos && parse_real(digits, value.real);
  if (!is_real) return Error::invalid("not a value: \"", word.substr(0, 40), '"');
  if (value.negative) value.real = -value.real;
  return value;
}

void append_utf8(String& out, uint32_t code) {
  const auto byte = [&](uint32_t value) { out.append(static_cast<char>(value)); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xc0 | code >> 6);
  } else {
    if (code < 0x10000) {
      byte(0xe0 | code >> 12);
    } else {
      byte(0xf0 | code >> 18);
      byte(0x80 | (code >> 12 & 0x3f));
    }
    byte(0x80 | (code >> 6 & 0x3f));
  }
  byte(0x80 | (code & 0x3f));
}

// \uXXXX and \UXXXXXXXX.
bool take_code(std::string_view& rest, size_t digits, String& out) {
  if (rest.size() < digits) return false;
  uint32_t code = 0;
  for (const char c : rest.substr(0, digits)) {
    const int digit = digit_of(c, 16);
    if (digit < 0) return false;
    code = code << 4 | static_cast<uint32_t>(digit);
  }
  rest.remove_prefix(digits);
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  if (code == 0 || code > 0x10ffff || surrogate) return false;
  append_utf8(out, code);
  return true;
}

bool take_escape(std::string_view& rest, String& out) {
  if (rest.empty() || rest[0] == '\0') return false;
  const char c = rest[0];
  rest.remove_prefix(1);
  if (c == 'u') return take_code(rest, 4, out);
  if (c == 'U') return take_code(rest, 8, out);
  constexpr std::string_view kLetters = "abfnrtv", kMeant = "\a\b\f\n\r\t\v";
  const size_t known = kLetters.find(c);
  if (c != '\n') out.append(known == std::string_view::npos ? c : kMeant[known]);
  return true;
}

Result<String> take_text(std::string_view& rest) {
  const char quote = rest[0];
  rest.remove_prefix(1);
  String out;
  while (!rest.empty() && rest[0] != quote) {
    const char c = rest[0];
    rest.remove_prefix(1);
    if (c == '\0' || (c == '\\' && !take_escape(rest, out)))
      return Error::invalid("a wrong escape in a text");
    if (c != '\\') out.append(c);
  }
  if (rest.empty()) return Error::invalid("a text has no closing ", quote);
  rest.remove_prefix(1);
  return out;
}

}  // namespace

Result<GVariant> parse_literal(std::string_view& rest) {
  GVariant value;
  if (rest.starts_with('\'') || rest.starts_with('"')) {
    value.kind = GVariantKind::kText;
    value.text = TRY(take_text(rest));
    return value;
  }
  if (rest.starts_with("b'") || rest.starts_with("b\"")) {
    rest.remove_prefix(1);
    value.kind = GVariantKind::kBytes;
    value.text = TRY(take_text(rest));
    return value;
  }
  const std::string_view word = take_word(rest);
  if (word != "true" && word != "false") return parse_number(word);
  value.kind = GVariantKind::kBoolean;
  value.number = word == "true" ? 1 : 0;
  return value;
}

}  // namespace nsbox::cgroup
