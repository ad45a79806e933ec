#include "core/cgroup/dbus_reader.h"

#include <cerrno>

#include "core/cgroup/dbus_signature.h"
#include "core/cgroup/dbus_writer.h"

namespace nsbox::cgroup::dbus {

namespace {

// Twelve bytes, then the length of the array of fields.
constexpr size_t kFieldsAt = 12;

Error malformed(std::string_view what) { return Error::plain(EBADMSG, "a malformed D-Bus message: ", what); }

uint32_t number_at(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  __builtin_memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

size_t padded(size_t size) { return (size + 7) / 8 * 8; }

// The field's number, and what type its value has.
struct Field {
  uint8_t number;
  char type;
  std::string_view Message::*place;
};
constexpr Field kTexts[] = {{1, 'o', &Message::path},        {2, 's', &Message::interface},
                            {3, 's', &Message::member},      {4, 's', &Message::error_name},
                            {6, 's', &Message::destination}, {7, 's', &Message::sender},
                            {8, 'g', &Message::signature}};
constexpr uint8_t kReplySerial = 5;

// Unknown fields are passed over; none may stand twice.
bool take_field(Reader entry, Message& out, uint32_t& seen) {
  const auto number = entry.byte();
  auto value = entry.variant();
  if (!number || !value || *number == 0) return false;
  if (*number < 32 && (seen >> *number & 1)) return false;
  if (*number < 32) seen |= 1U << *number;
  if (*number == kReplySerial) {
    const auto serial = value->uint32();
    out.reply_serial = serial.value_or(0);
    return out.reply_serial != 0;
  }
  for (const Field& each : kTexts) {
    if (each.number != *number) continue;
    if (value->next() != each.type) return false;
    out.*each.place = value->string().value_or("");
  }
  return true;
}

bool has_what_it_needs(const Message& message) {
  switch (message.type) {
    case MessageType::kCall:
      return !message.path.empty() && !message.member.empty();
    case MessageType::kReturn:
      return message.reply_serial != 0;
    case MessageType::kError:
      return message.reply_serial != 0 && !message.error_name.empty();
    case MessageType::kSignal:
      return !message.path.empty() && !message.interface.empty() && !message.member.empty();
  }
  return true;  // An unknown type is to be ignored.
}

bool is_whole(std::string_view signature, std::string_view body) {
  size_t at = 0;
  while (!signature.empty())
    if (!walk(signature, body, at)) return false;
  return at == body.size();
}

}  // namespace

Result<size_t> message_size(std::string_view start) {
  if (start.size() < kFixedHeader) return malformed("it is too short");
  if (start[0] != 'l') return malformed("it is not little-endian");
  if (start[1] == 0 || start[3] != 1) return malformed("it is of another version");
  const size_t body = number_at(start, 4), fields = number_at(start, kFieldsAt);
  if (body > kMaxMessage || fields > kMaxMessage || padded(kFixedHeader + fields) + body > kMaxMessage)
    return Error::plain(EMSGSIZE, "a D-Bus message of more than ", kMaxMessage, " bytes");
  return padded(kFixedHeader + fields) + body;
}

Result<Message> parse_message(std::string_view whole) {
  if (TRY(message_size(whole)) != whole.size()) return malformed("it is cut off");
  Message message;
  message.type = static_cast<MessageType>(whole[1]);
  message.serial = number_at(whole, 8);
  if (message.serial == 0) return malformed("it has no serial number");
  const size_t fields_end = kFixedHeader + number_at(whole, kFieldsAt);
  Reader fields("a(yv)", whole.substr(0, fields_end), kFieldsAt);
  auto entries = fields.array();
  uint32_t seen = 0;
  while (entries && entries->next()) {
    auto entry = entries->structure();
    if (!entry || !take_field(*entry, message, seen)) return malformed("a field of its header");
  }
  size_t body_at = fields_end;
  if (!entries || !walk_padding(whole, body_at, 8)) return malformed("its header");
  message.body = whole.substr(body_at);
  if (!has_what_it_needs(message)) return malformed("its header lacks a field");
  if (!is_whole(message.signature, message.body)) return malformed("its body is not what the signature says");
  return message;
}

char Reader::next() const { return signature_.empty() ? '\0' : signature_[0]; }

template <typename Number>
std::optional<Number> Reader::number(std::string_view types) {
  if (types.find(next()) == std::string_view::npos || !next()) return std::nullopt;
  if (!walk_padding(body_, at_, sizeof(Number)) || body_.size() - at_ < sizeof(Number)) return std::nullopt;
  Number value = 0;
  __builtin_memcpy(&value, body_.data() + at_, sizeof value);
  at_ += sizeof value;
  signature_.remove_prefix(1);
  advance();
  return value;
}

std::optional<uint8_t> Reader::byte() { return number<uint8_t>("y"); }
std::optional<uint16_t> Reader::uint16() { return number<uint16_t>("q"); }
std::optional<uint32_t> Reader::uint32() { return number<uint32_t>("u"); }
std::optional<uint64_t> Reader::uint64() { return number<uint64_t>("t"); }

std::optional<bool> Reader::boolean() {
  const auto value = number<uint32_t>("b");
  if (!value) return std::nullopt;
  return *value != 0;
}

std::optional<std::string_view> Reader::string() {
  const char type = next();
  if (type != 's' && type != 'o' && type != 'g') return std::nullopt;
  size_t start = at_;
  if (!skip()) return std::nullopt;
  const size_t prefix = type == 'g' ? 1 : sizeof(uint32_t);
  if (prefix > 1) (void)walk_padding(body_, start, prefix);
  size_t length = static_cast<uint8_t>(body_[start]);
  if (prefix > 1) length = number_at(body_, start);
  return body_.substr(start + prefix, length);
}

std::optional<Reader> Reader::variant() {
  if (next() != 'v') return std::nullopt;
  const size_t start = at_;
  if (!skip()) return std::nullopt;
  const size_t end = at_;
  const auto length = static_cast<uint8_t>(body_[start]);
  return Reader(body_.substr(start + 1, length), body_.substr(0, end), start + length + 2);
}

std::optional<Reader> Reader::structure() {
  if (next() != '(' && next() != '{') return std::nullopt;
  const std::string_view before = signature_;
  // What is in an array is the whole of its element's signature, and there alone is a dictionary's entry.
  const size_t length = before[0] == '{' ? before.size() : type_length(before);
  size_t start = at_;
  if (!skip()) return std::nullopt;
  (void)walk_padding(body_, start, 8);
  return Reader(before.substr(1, length - 2), body_.substr(0, at_), start);
}

std::optional<Reader> Reader::array() {
  if (next() != 'a') return std::nullopt;
  const std::string_view type = signature_.substr(0, type_length(signature_));
  size_t start = at_;
  if (!skip()) return std::nullopt;
  (void)walk_padding(body_, start, sizeof(uint32_t));
  start += sizeof(uint32_t);
  (void)walk_padding(body_, start, alignment_of(type[1]));
  Reader elements(type.substr(1), body_.substr(0, at_), start);
  elements.element_ = type.substr(1);
  if (start == at_) elements.signature_ = {};
  return elements;
}

bool Reader::skip() {
  if (!walk(signature_, body_, at_)) return false;
  advance();
  return true;
}

void Reader::advance() {
  if (signature_.empty() && at_ < body_.size()) signature_ = element_;
}

}  // namespace nsbox::cgroup::dbus
