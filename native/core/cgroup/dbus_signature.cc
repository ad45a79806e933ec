#include "core/cgroup/dbus_signature.h"

#include <cstdint>

namespace nsbox::cgroup::dbus {

namespace {

constexpr size_t kMaxSignature = 255;
constexpr size_t kMaxArray = size_t{1} << 26;
constexpr std::string_view kBasic = "ybnqiuxtdhsog";

bool is_basic(char type) { return kBasic.find(type) != std::string_view::npos; }

size_t size_of(char type) {
  switch (type) {
    case 'y':
      return 1;
    case 'n':
    case 'q':
      return 2;
    case 'x':
    case 't':
    case 'd':
      return 8;
    default:
      return 4;
  }
}

// "(...)" or "{..}", from its first character on.
size_t container_length(std::string_view signature, unsigned depth) {
  const char close = signature[0] == '(' ? ')' : '}';
  if (close == '}' && (signature.size() < 2 || !is_basic(signature[1]))) return 0;
  size_t at = 1, members = 0;
  while (at < signature.size() && signature[at] != close) {
    const size_t member = type_length(signature.substr(at), depth + 1);
    if (member == 0) return 0;
    at += member;
    members++;
  }
  const bool counted = close == '}' ? members == 2 : members > 0;
  return at < signature.size() && counted ? at + 1 : 0;
}

bool read_length(std::string_view body, size_t& at, uint32_t& out) {
  if (!walk_padding(body, at, sizeof out) || body.size() - at < sizeof out) return false;
  __builtin_memcpy(&out, body.data() + at, sizeof out);
  at += sizeof out;
  return true;
}

bool ends_in_nul(std::string_view body, size_t at, size_t length) {
  if (body.size() - at <= length || body[at + length] != '\0') return false;
  return body.substr(at, length).find('\0') == std::string_view::npos;
}

bool walk_string(char type, std::string_view body, size_t& at) {
  uint32_t length = 0;
  if (!read_length(body, at, length) || !ends_in_nul(body, at, length)) return false;
  if (type == 'o' && !is_object_path(body.substr(at, length))) return false;
  at += size_t{length} + 1;
  return true;
}

bool walk_signature(std::string_view body, size_t& at, std::string_view& out) {
  if (at >= body.size()) return false;
  const auto length = static_cast<uint8_t>(body[at++]);
  if (!ends_in_nul(body, at, length)) return false;
  out = body.substr(at, length);
  at += size_t{length} + 1;
  return is_signature(out);
}

bool walk_number(char type, std::string_view body, size_t& at) {
  const size_t size = size_of(type);
  if (!walk_padding(body, at, size) || body.size() - at < size) return false;
  if (type == 'b') {
    uint32_t value = 0;
    __builtin_memcpy(&value, body.data() + at, sizeof value);
    if (value > 1) return false;
  }
  at += size;
  return true;
}

bool walk_array(std::string_view& signature, std::string_view body, size_t& at, unsigned depth) {
  const std::string_view whole = signature.substr(0, type_length(signature));
  if (whole.empty()) return false;
  const std::string_view element = whole.substr(1);
  uint32_t length = 0;
  if (!read_length(body, at, length) || length > kMaxArray) return false;
  if (!walk_padding(body, at, alignment_of(element[0])) || body.size() - at < length) return false;
  const size_t end = at + length;
  while (at < end) {
    std::string_view each = element;
    if (!walk(each, body.substr(0, end), at, depth + 1)) return false;
  }
  signature.remove_prefix(whole.size());
  return at == end;
}

bool walk_members(char close, std::string_view& signature, std::string_view body, size_t& at,
                  unsigned depth) {
  if (!walk_padding(body, at, 8)) return false;
  while (!signature.empty() && signature[0] != close)
    if (!walk(signature, body, at, depth + 1)) return false;
  if (signature.empty()) return false;
  signature.remove_prefix(1);
  return true;
}

bool walk_variant(std::string_view body, size_t& at, unsigned depth) {
  std::string_view type;
  if (!walk_signature(body, at, type) || type.empty() || type_length(type) != type.size()) return false;
  return walk(type, body, at, depth + 1);
}

}  // namespace

size_t type_length(std::string_view signature, unsigned depth) {
  if (signature.empty() || depth > kMaxDepth) return 0;
  const char type = signature[0];
  if (is_basic(type) || type == 'v') return 1;
  if (type == '(') return container_length(signature, depth);
  if (type != 'a' || signature.size() < 2) return 0;
  // A dictionary's entry is nowhere but in an array.
  const std::string_view element = signature.substr(1);
  const size_t length =
      element[0] == '{' ? container_length(element, depth + 1) : type_length(element, depth + 1);
  return length == 0 ? 0 : length + 1;
}

bool is_signature(std::string_view signature) {
  if (signature.size() > kMaxSignature) return false;
  while (!signature.empty()) {
    const size_t length = type_length(signature);
    if (length == 0) return false;
    signature.remove_prefix(length);
  }
  return true;
}

bool is_object_path(std::string_view path) {
  if (path == "/") return true;
  if (!path.starts_with('/') || path.ends_with('/')) return false;
  for (size_t i = 1; i < path.size(); i++) {
    const char c = path[i];
    const bool letter =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!letter && (c != '/' || path[i - 1] == '/')) return false;
  }
  return true;
}

size_t alignment_of(char type) {
  if (type == 'y' || type == 'g' || type == 'v') return 1;
  if (type == '(' || type == '{') return 8;
  if (type == 'a' || type == 's' || type == 'o') return 4;
  return is_basic(type) ? size_of(type) : 0;
}

bool walk_padding(std::string_view body, size_t& at, size_t alignment) {
  for (; at % alignment != 0; at++)
    if (at >= body.size() || body[at] != '\0') return false;
  return at <= body.size();
}

bool walk(std::string_view& signature, std::string_view body, size_t& at, unsigned depth) {
  if (signature.empty() || depth > kMaxDepth) return false;
  const char type = signature[0];
  if (type == 'a') return walk_array(signature, body, at, depth);
  signature.remove_prefix(1);
  std::string_view unused;
  switch (type) {
    case 's':
    case 'o':
      return walk_string(type, body, at);
    case 'g':
      return walk_signature(body, at, unused);
    case 'v':
      return walk_variant(body, at, depth);
    case '(':
      return walk_members(')', signature, body, at, depth);
    case '{':
      return walk_members('}', signature, body, at, depth);
    default:
      return is_basic(type) && walk_number(type, body, at);
  }
}

}  // namespace nsbox::cgroup::dbus
