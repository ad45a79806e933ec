#include "core/cgroup/dbus_connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include "core/cgroup/dbus_errors.h"
#include "core/sys/syscalls.h"

namespace nsbox::cgroup::dbus {

namespace {

// What a call does not wait for is kept up to here; then the oldest is dropped.
constexpr size_t kMaxSignals = 256;
constexpr size_t kMaxLine = 1024;

Result<UniqueFd> connect_to(const Address& address) {
  UniqueFd socket = TRY(sys::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
  sockaddr_un place = {};
  place.sun_family = AF_UNIX;
  if (address.name.size() + 1 >= sizeof place.sun_path) return Error(ENAMETOOLONG);
  // The kernel takes a name without a path from behind a first NUL, and to its end.
  const size_t skip = address.abstract ? 1 : 0;
  __builtin_memcpy(place.sun_path + skip, address.name.view().data(), address.name.size());
  const size_t size = offsetof(sockaddr_un, sun_path) + address.name.size() + 1;
  TRY(sys::connect(socket.get(), &place, size));
  return socket;
}

int poll_time(uint64_t end_ns) {
  const uint64_t now = sys::monotonic_ns();
  if (now >= end_ns) return 0;
  return static_cast<int>(std::min<uint64_t>((end_ns - now) / 1'000'000 + 1, 1'000'000));
}

String hex_of_own_user() {
  const String user = format(sys::geteuid());
  String hex;
  for (const char digit : user.view()) append(hex, '3', digit);  // '0' is 0x30.
  return hex;
}

}  // namespace

Result<Connection> Connection::open(const Address& address, Peer peer, uint64_t timeout_ns) {
  const uint64_t end_ns = sys::monotonic_ns() + timeout_ns;
  auto opened = connect_as(Identity::kOfSocket, address, peer, end_ns);
  if (opened.err() == EACCES || opened.err() == ECONNRESET)
    opened = connect_as(Identity::kByNumber, address, peer, end_ns);
  if (!opened || peer == Peer::kProgram) return opened;
  const Call hello = {
      "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", "", ""};
  auto greeted = opened->call(hello, timeout_ns);
  if (!greeted) return greeted.error().while_doing("greet the bus at ", address.name);
  return opened;
}

Result<Connection> Connection::connect_as(Identity identity, const Address& address, Peer peer,
                                          uint64_t end_ns) {
  auto socket = connect_to(address);
  if (!socket) return socket.error().while_doing("connect to ", address.name);
  Connection connection(std::move(socket).value(), peer);
  auto done = connection.authenticate(identity, end_ns);
  if (!done) return done.error().while_doing("authenticate at ", address.name);
  return connection;
}

// The other side knows who we are by the socket: no identity but that says so, and holds in a user namespace
// too, where our number is not the one that the other side sees. Who insists is told the number.
//
// All of it goes in one piece, BEGIN too, before there is an answer: systemd reads what comes with BEGIN, but
// looks for messages only when more comes, so a message that overtakes its reading would wait for ever.
Status Connection::authenticate(Identity identity, uint64_t end_ns) {
  String text;
  text.append('\0');
  if (identity == Identity::kOfSocket)
    append(text, "AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n");
  else
    append(text, "AUTH EXTERNAL ", hex_of_own_user(), "\r\nBEGIN\r\n");
  TRY(send(text, end_ns));
  String answer = TRY(read_line(end_ns));
  if (answer.view().starts_with("DATA")) answer = TRY(read_line(end_ns));
  if (!answer.view().starts_with("OK ")) return Error::plain(EACCES, "the other side refuses this user");
  return Ok{};
}

// Without its end.
Result<String> Connection::read_line(uint64_t end_ns) {
  size_t end;
  while ((end = unread_.view().find("\r\n")) == std::string_view::npos) {
    if (unread_.size() > kMaxLine) return Error::plain(EBADMSG, "the other side does not speak D-Bus");
    TRY(receive(end_ns));
  }
  String line(unread_.view().substr(0, end));
  unread_ = String(unread_.view().substr(end + 2));
  return line;
}

Result<Received> Connection::call(const Call& call, uint64_t timeout_ns) {
  const uint64_t end_ns = sys::monotonic_ns() + timeout_ns;
  const uint32_t serial = ++serial_;
  Call whole = call;
  if (peer_ == Peer::kProgram) whole.destination = {};
  TRY(send(TRY(encode(whole, serial)), end_ns));
  for (;;) {
    Received got = TRY(next(end_ns));
    const Message& message = got.message;
    if (message.type == MessageType::kSignal) {
      keep(std::move(got));
    } else if (message.reply_serial == serial && message.type == MessageType::kReturn) {
      return got;
    } else if (message.reply_serial == serial && message.type == MessageType::kError) {
      return error_of(message);
    }
  }
}

Result<Received> Connection::wait_for_signal(std::string_view member, uint64_t end_ns) {
  for (size_t i = 0; i < signals_.size(); i++) {
    if (signals_[i].message.member != member) continue;
    Received found = std::move(signals_[i]);
    signals_.erase(signals_.begin() + static_cast<ptrdiff_t>(i));
    return found;
  }
  for (;;) {
    Received got = TRY(next(end_ns));
    if (got.message.type == MessageType::kSignal && got.message.member == member) return got;
  }
}

Status Connection::subscribe(std::string_view rule) {
  if (peer_ == Peer::kProgram) return Ok{};
  const Writer body = Writer().string(rule);
  const Call add = {
      "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch", "s", body.view()};
  TRY(call(add));
  return Ok{};
}

void Connection::keep(Received signal) {
  if (signals_.size() == kMaxSignals) signals_.erase(signals_.begin());
  signals_.push_back(std::move(signal));
}

Result<Received> Connection::next(uint64_t end_ns) {
  while (unread_.size() < kFixedHeader) TRY(receive(end_ns));
  const size_t size = TRY(message_size(unread_));
  while (unread_.size() < size) TRY(receive(end_ns));
  Received got;
  got.bytes = String(unread_.view().substr(0, size));
  unread_ = String(unread_.view().substr(size));
  // The bytes stay where they are when their owner is moved.
  got.message = TRY(parse_message(got.bytes));
  return got;
}

Status Connection::send(std::string_view bytes, uint64_t end_ns) {
  while (!bytes.empty()) {
    auto sent = sys::sendto(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL, nullptr, 0);
    if (sent) bytes.remove_prefix(*sent);
    if (!sent && sent.err() == EAGAIN) TRY(wait(POLLOUT, end_ns));
    if (!sent && sent.err() != EAGAIN && sent.err() != EINTR) return sent.error();
  }
  return Ok{};
}

Status Connection::receive(uint64_t end_ns) {
  char buffer[4096];
  for (;;) {
    auto got = sys::recvfrom(socket_.get(), buffer, sizeof buffer, 0);
    if (got && *got == 0) return Error::plain(ECONNRESET, "the other side hung up");
    if (got) {
      unread_.append(std::string_view(buffer, *got));
      return Ok{};
    }
    if (got.err() == EAGAIN) TRY(wait(POLLIN, end_ns));
    if (got.err() != EAGAIN && got.err() != EINTR) return got.error();
  }
}

Status Connection::wait(short events, uint64_t end_ns) {
  sys::Pollfd one = {socket_.get(), events, 0};
  const int left = poll_time(end_ns);
  auto ready = sys::poll(&one, 1, left);
  if (!ready && ready.err() != EINTR) return ready.error();
  if (left == 0 && ready && *ready == 0) return Error::plain(ETIMEDOUT, "no answer in time");
  return Ok{};
}

}  // namespace nsbox::cgroup::dbus
