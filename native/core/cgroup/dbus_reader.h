#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/error.h"

// Reads D-Bus messages, strictly: what does not follow the specification is refused whole, and nothing is
// read outside the bytes that were given. The values point into them.
namespace nsbox::cgroup::dbus {

enum class MessageType : uint8_t { kCall = 1, kReturn = 2, kError = 3, kSignal = 4 };

struct Message {
  MessageType type = MessageType::kCall;
  uint32_t serial = 0;
  uint32_t reply_serial = 0;
  std::string_view path, interface, member, error_name, destination, sender;
  std::string_view signature;
  std::string_view body;
};

// The least that must be there before the length of a message is known.
inline constexpr size_t kFixedHeader = 16;

// How many bytes the message has that begins with these (at least kFixedHeader).
Result<size_t> message_size(std::string_view start);
// One whole message. Its body follows its signature: a Reader over it fails only where the types are not
// those that are asked for.
Result<Message> parse_message(std::string_view whole);

// A value or nothing, as the types come.
class Reader {
 public:
  explicit Reader(const Message& message) : Reader(message.signature, message.body, 0) {}

  // The first character of the next value's type; '\0' behind the last.
  char next() const;
  std::optional<uint8_t> byte();
  std::optional<bool> boolean();
  std::optional<uint16_t> uint16();
  std::optional<uint32_t> uint32();
  std::optional<uint64_t> uint64();
  // A string, an object path or a signature.
  std::optional<std::string_view> string();
  // What is inside; this reader goes on behind it.
  std::optional<Reader> variant();
  std::optional<Reader> structure();  // A dictionary's entry too.
  std::optional<Reader> array();
  // Passes one value of any type over.
  bool skip();

 private:
  friend Result<Message> parse_message(std::string_view whole);
  Reader(std::string_view signature, std::string_view body, size_t at)
      : signature_(signature), body_(body), at_(at) {}

  template <typename Number>
  std::optional<Number> number(std::string_view types);
  void advance();

  std::string_view signature_;  // What is left of it.
  std::string_view body_;       // From the body's start, for alignment, to the end of what this may read.
  size_t at_ = 0;
  std::string_view element_;  // In an array: the signature of each element.
};

}  // namespace nsbox::cgroup::dbus
