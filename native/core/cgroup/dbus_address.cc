#include "core/cgroup/dbus_address.h"

#include "core/base/text.h"

namespace nsbox::cgroup::dbus {

namespace {

// A socket's name in the kernel, with its closing NUL.
constexpr size_t kMaxName = 107;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// "%2f" is a slash; no byte may be zero, since these are names for the kernel.
bool unescape(std::string_view text, String& out) {
  for (size_t i = 0; i < text.size(); i++) {
    char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3) return false;
      const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return false;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return false;
    out.append(c);
  }
  return !out.empty() && out.size() <= kMaxName;
}

bool parse_one(std::string_view options, Address& out) {
  while (!options.empty()) {
    std::string_view value = cut(options, ',');
    const std::string_view key = cut(value, '=');
    if (key != "path" && key != "abstract") continue;
    out.abstract = key == "abstract";
    return unescape(value, out.name);
  }
  return false;
}

}  // namespace

Result<Vector<Address>> parse_addresses(std::string_view text) {
  Vector<Address> found;
  for (std::string_view rest = text; !rest.empty();) {
    std::string_view options = cut(rest, ';');
    if (cut(options, ':') != "unix") continue;
    Address address;
    if (parse_one(options, address)) found.push_back(std::move(address));
  }
  if (found.empty()) return Error::invalid("no socket of this machine in the bus address \"", text, '"');
  return found;
}

}  // namespace nsbox::cgroup::dbus
