#pragma once

#include <string>
#include <string_view>

namespace nsbox::test {

// Bytes as the specification's examples show them: pairs of hexadecimal digits, blanks for the eye, and texts
// in quotes as they are.
inline std::string bytes_of(std::string_view shown) {
  std::string out;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (size_t i = 0; i < shown.size(); i++) {
    if (shown[i] == ' ' || shown[i] == '\n') continue;
    if (shown[i] == '\'') {
      const size_t end = shown.find('\'', i + 1);
      out += shown.substr(i + 1, end - i - 1);
      i = end;
    } else {
      out += static_cast<char>(digit(shown[i]) * 16 + digit(shown[i + 1]));
      i++;
    }
  }
  return out;
}

inline std::string shown_bytes(std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (const char each : bytes) {
    const auto byte = static_cast<unsigned char>(each);
    out += {kHex[byte >> 4], kHex[byte & 15]};
  }
  return out;
}

}  // namespace nsbox::test
