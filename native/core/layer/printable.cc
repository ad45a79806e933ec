#include "core/layer/printable.h"

namespace nsbox {
namespace {

constexpr size_t kLongest = 200;
constexpr std::string_view kHex = "0123456789abcdef";

}  // namespace

String printable(std::string_view name) {
  String out;
  for (const char c : name.substr(0, kLongest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F)
      out.append(c);
    else
      append(out, "\\x", kHex[byte >> 4], kHex[byte & 15]);
  }
  if (name.size() > kLongest) out.append("…");
  return out;
}

}  // namespace nsbox
