#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/error.h"

// D-Bus messages (D-Bus specification 0.43), as much of them as a client of systemd's needs: calls are
// written here, what comes back is read in dbus_reader.h.
namespace nsbox::cgroup::dbus {

// Longer messages are neither written nor read; systemd's are a few kilobytes.
inline constexpr size_t kMaxMessage = size_t{1} << 20;

// Writes values one after the other, each at its natural alignment. Which types follow each other is the
// caller's to know; the signature says it to the receiver.
class Writer {
 public:
  Writer& byte(uint8_t value);
  Writer& boolean(bool value);
  Writer& int16(int16_t value) { return fixed(static_cast<uint64_t>(value), 2); }
  Writer& uint16(uint16_t value) { return fixed(value, 2); }
  Writer& int32(int32_t value) { return fixed(static_cast<uint64_t>(value), 4); }
  Writer& uint32(uint32_t value) { return fixed(value, 4); }
  Writer& int64(int64_t value) { return fixed(static_cast<uint64_t>(value), 8); }
  Writer& uint64(uint64_t value) { return fixed(value, 8); }
  Writer& real(double value);
  // A string, or an object path.
  Writer& string(std::string_view text);
  Writer& signature(std::string_view text);
  Writer& align(size_t boundary);
  // A variant is a signature and a value of it.
  Writer& variant(std::string_view type) { return signature(type); }
  Writer& begin_struct() { return align(8); }

  // Answers where the array's length is, for end_array(). `alignment` is that of the elements.
  struct Array {
    size_t length_at, start;
  };
  Array begin_array(size_t alignment);
  void end_array(Array array);

  // What was marshalled elsewhere, from a multiple of eight on.
  Writer& raw(std::string_view marshalled);

  std::string_view view() const { return out_.view(); }

 private:
  Writer& fixed(uint64_t value, size_t size);

  String out_;
};

// The properties of a unit, a(sv). The elements of such an array start at a multiple of eight wherever it is
// put, so they can be written before its place in the message is known.
class Properties {
 public:
  void text(std::string_view name, std::string_view value) { begin(name, "s").string(value); }
  void boolean(std::string_view name, bool value) { begin(name, "b").boolean(value); }
  void uint64(std::string_view name, uint64_t value) { begin(name, "t").uint64(value); }
  void texts(std::string_view name, std::string_view value);  // An array with one text in it.
  void numbers(std::string_view name, uint32_t value);        // An array with one number in it.
  void bytes(std::string_view name, std::string_view value);
  // The caller writes the value behind it.
  Writer& begin(std::string_view name, std::string_view type);

  bool empty() const { return elements_.view().empty(); }
  // The whole array, as a call's argument.
  void write_to(Writer& out) const;

 private:
  Writer elements_;
};

struct Call {
  std::string_view destination;
  std::string_view path;
  std::string_view interface;
  std::string_view member;
  std::string_view signature;  // Of the body.
  std::string_view body;
};

// The whole message; E2BIG when it is too long.
Result<String> encode(const Call& call, uint32_t serial);

}  // namespace nsbox::cgroup::dbus
