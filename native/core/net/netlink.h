#pragma once

#include <linux/netlink.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

#include "core/base/error.h"
#include "core/base/vector.h"
#include "core/sys/unique_fd.h"

// rtnetlink(7): how the kernel is asked about network devices and their addresses.
namespace nsbox::net {

// One request, built field by field: the family's own header, then attributes.
class Request {
 public:
  Request(uint16_t type, uint16_t flags);

  template <typename Header>
  Request& header(const Header& header) {
    append_bytes(&header, sizeof header);
    return *this;
  }
  Request& attribute(uint16_t type, const void* data, size_t size);
  Request& attribute(uint16_t type, uint32_t value) { return attribute(type, &value, sizeof value); }
  // A text with the NUL behind it that the kernel wants.
  Request& attribute(uint16_t type, std::string_view text);
  // The attributes between the two are inside one of that type.
  size_t begin_nested(uint16_t type);
  void end_nested(size_t mark);

 private:
  friend class Netlink;

  void append_bytes(const void* data, size_t size);

  Vector<char> bytes_;
};

struct Attribute {
  uint16_t type;
  std::span<const char> data;

  // The number in it; 0 when it is too short for one.
  uint32_t number() const;
};

// A message of the kernel's: its type, and what is behind the header.
class Answer {
 public:
  Answer(uint16_t type, std::span<const char> body) : type_(type), body_(body) {}

  uint16_t type() const { return type_; }
  template <typename Header>
  bool read_header(Header& out) const {
    if (body_.size() < sizeof out) return false;
    memcpy(&out, body_.data(), sizeof out);
    return true;
  }
  // Those behind a header of that size.
  Vector<Attribute> attributes(size_t header_size) const;

 private:
  uint16_t type_;
  std::span<const char> body_;
};

// A socket of the network namespace that it was opened in, and stays in.
class Netlink {
 public:
  static Result<Netlink> open();
  // Opened in another namespace; for a caller with one thread, which is there for a moment.
  static Result<Netlink> open_in(int network_namespace);

  // Sends the request and waits until the kernel has done it.
  Status ask(Request& request) const;
  // The same for a question: calls `each(const Answer&)` for every message of the answer.
  template <typename Each>
  Status ask(Request& request, Each each) const {
    TRY(send(request));
    for (bool more = true; more;) {
      const Vector<char> bytes = TRY(receive());
      more = TRY(for_each(bytes, [&](const Answer& answer) { each(answer); }));
    }
    return Ok{};
  }

 private:
  explicit Netlink(UniqueFd socket) : socket_(std::move(socket)) {}

  Status send(Request& request) const;
  Result<Vector<char>> receive() const;
  // False once the answer's last message has come; an error where the kernel tells one.
  template <typename Each>
  static Result<bool> for_each(std::span<const char> bytes, Each each);

  UniqueFd socket_;
};

template <typename Each>
Result<bool> Netlink::for_each(std::span<const char> bytes, Each each) {
  while (bytes.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header;
    memcpy(&header, bytes.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > bytes.size()) break;
    const std::span<const char> body = bytes.subspan(sizeof header, header.nlmsg_len - sizeof header);
    int code = 0;
    if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE) {
      if (body.size() >= sizeof code) memcpy(&code, body.data(), sizeof code);
      if (code < 0) return Error(-code);
      return false;
    }
    each(Answer(header.nlmsg_type, body));
    bytes = bytes.subspan(std::min<size_t>(NLMSG_ALIGN(header.nlmsg_len), bytes.size()));
  }
  return true;
}

}  // namespace nsbox::net
