#include "core/net/netlink.h"

#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <sys/socket.h>

#include <cerrno>

#include "core/sys/syscalls.h"

namespace nsbox::net {

namespace {

constexpr size_t kAnswerSize = size_t{32} * 1024;  // The most that the kernel puts into one datagram.

// The attributes one behind the other; what is cut off is left out.
Vector<Attribute> read_attributes(std::span<const char> bytes) {
  Vector<Attribute> out;
  while (bytes.size() >= sizeof(nlattr)) {
    nlattr header;
    memcpy(&header, bytes.data(), sizeof header);
    if (header.nla_len < sizeof header || header.nla_len > bytes.size()) break;
    out.push_back({static_cast<uint16_t>(header.nla_type & NLA_TYPE_MASK),
                   bytes.subspan(sizeof header, header.nla_len - sizeof header)});
    bytes = bytes.subspan(std::min<size_t>(NLA_ALIGN(header.nla_len), bytes.size()));
  }
  return out;
}

}  // namespace

Request::Request(uint16_t type, uint16_t flags) {
  const nlmsghdr header = {
      .nlmsg_len = 0, .nlmsg_type = type, .nlmsg_flags = flags, .nlmsg_seq = 1, .nlmsg_pid = 0};
  append_bytes(&header, sizeof header);
}

Request& Request::attribute(uint16_t type, const void* data, size_t size) {
  const nlattr header = {static_cast<uint16_t>(sizeof header + size), type};
  append_bytes(&header, sizeof header);
  append_bytes(data, size);
  return *this;
}

Request& Request::attribute(uint16_t type, std::string_view text) {
  const String ended(text);
  return attribute(type, ended.c_str(), ended.size() + 1);
}

size_t Request::begin_nested(uint16_t type) {
  const size_t mark = bytes_.size();
  attribute(type, nullptr, 0);
  return mark;
}

void Request::end_nested(size_t mark) {
  const auto size = static_cast<uint16_t>(bytes_.size() - mark);
  memcpy(bytes_.data() + mark, &size, sizeof size);
}

void Request::append_bytes(const void* data, size_t size) {
  const size_t at = bytes_.size();
  bytes_.resize(at + NLMSG_ALIGN(size));
  if (size > 0) memcpy(bytes_.data() + at, data, size);
}

uint32_t Attribute::number() const {
  uint32_t value = 0;
  if (data.size() >= sizeof value) memcpy(&value, data.data(), sizeof value);
  return value;
}

Vector<Attribute> Answer::attributes(size_t header_size) const {
  const size_t at = NLMSG_ALIGN(header_size);
  return at > body_.size() ? Vector<Attribute>{} : read_attributes(body_.subspan(at));
}

Result<Netlink> Netlink::open() { return Netlink(TRY(sys::socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE))); }

Result<Netlink> Netlink::open_in(int network_namespace) {
  const UniqueFd home = TRY(sys::open("/proc/self/ns/net", O_RDONLY));
  TRY(sys::setns(network_namespace, CLONE_NEWNET));
  auto opened = open();
  TRY(sys::setns(home.get(), CLONE_NEWNET));
  return opened;
}

Status Netlink::ask(Request& request) const {
  return ask(request, [](const Answer&) {});
}

Status Netlink::send(Request& request) const {
  const auto size = static_cast<uint32_t>(request.bytes_.size());
  memcpy(request.bytes_.data(), &size, sizeof size);
  const sockaddr_nl kernel = {.nl_family = AF_NETLINK, .nl_pad = 0, .nl_pid = 0, .nl_groups = 0};
  TRY(sys::sendto(socket_.get(), request.bytes_.data(), size, 0, &kernel, sizeof kernel));
  return Ok{};
}

Result<Vector<char>> Netlink::receive() const {
  Vector<char> bytes(kAnswerSize);
  for (;;) {
    auto got = sys::recvfrom(socket_.get(), bytes.data(), bytes.size(), MSG_TRUNC);
    if (!got && got.err() == EINTR) continue;
    if (!got) return got.error();
    if (*got > bytes.size()) return Error(EMSGSIZE);
    bytes.resize(*got);
    return bytes;
  }
}

}  // namespace nsbox::net
