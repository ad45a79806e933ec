#include "core/cgroup/dbus_writer.h"

#include <bit>
#include <cerrno>

namespace nsbox::cgroup::dbus {

namespace {

enum HeaderField : uint8_t { kPath = 1, kInterface = 2, kMember = 3, kDestination = 6, kSignature = 8 };

void header_field(Writer& out, HeaderField field, std::string_view type, std::string_view value) {
  if (value.empty()) return;
  out.begin_struct().byte(field).variant(type);
  if (type == "g")
    out.signature(value);
  else
    out.string(value);
}

}  // namespace

// All machines that we run on are little-endian.
Writer& Writer::fixed(uint64_t value, size_t size) {
  static_assert(std::endian::native == std::endian::little);
  align(size);
  char bytes[sizeof value];
  __builtin_memcpy(bytes, &value, sizeof value);
  out_.append(std::string_view(bytes, size));
  return *this;
}

Writer& Writer::byte(uint8_t value) {
  out_.append(static_cast<char>(value));
  return *this;
}

Writer& Writer::boolean(bool value) { return uint32(value ? 1 : 0); }

Writer& Writer::real(double value) { return uint64(std::bit_cast<uint64_t>(value)); }

Writer& Writer::string(std::string_view text) {
  uint32(static_cast<uint32_t>(text.size()));
  out_.append(text);
  out_.append('\0');
  return *this;
}

Writer& Writer::signature(std::string_view text) {
  byte(static_cast<uint8_t>(text.size()));
  out_.append(text);
  out_.append('\0');
  return *this;
}

Writer& Writer::align(size_t boundary) {
  while (out_.size() % boundary != 0) out_.append('\0');
  return *this;
}

Writer& Writer::raw(std::string_view marshalled) {
  align(8);
  out_.append(marshalled);
  return *this;
}

// The padding before the first element is not part of the length.
Writer::Array Writer::begin_array(size_t alignment) {
  uint32(0);
  const size_t length_at = out_.size() - sizeof(uint32_t);
  align(alignment);
  return {length_at, out_.size()};
}

void Writer::end_array(Array array) {
  const auto length = static_cast<uint32_t>(out_.size() - array.start);
  __builtin_memcpy(out_.data() + array.length_at, &length, sizeof length);
}

Result<String> encode(const Call& call, uint32_t serial) {
  constexpr uint8_t kMethodCall = 1, kVersion = 1;
  if (call.body.size() > kMaxMessage) return Error::plain(E2BIG, "the message to systemd is too long");
  Writer out;
  out.byte('l').byte(kMethodCall).byte(0).byte(kVersion);
  out.uint32(static_cast<uint32_t>(call.body.size())).uint32(serial);
  const Writer::Array fields = out.begin_array(8);
  header_field(out, kPath, "o", call.path);
  header_field(out, kInterface, "s", call.interface);
  header_field(out, kMember, "s", call.member);
  header_field(out, kDestination, "s", call.destination);
  header_field(out, kSignature, "g", call.signature);
  out.end_array(fields);
  out.align(8);
  String whole(out.view());
  whole.append(call.body);
  if (whole.size() > kMaxMessage) return Error::plain(E2BIG, "the message to systemd is too long");
  return whole;
}

}  // namespace nsbox::cgroup::dbus
