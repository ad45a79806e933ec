#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/error.h"
#include "core/base/vector.h"
#include "core/cgroup/dbus_address.h"
#include "core/cgroup/dbus_reader.h"
#include "core/cgroup/dbus_writer.h"
#include "core/sys/unique_fd.h"

namespace nsbox::cgroup::dbus {

// A message with the bytes that it points into.
struct Received {
  String bytes;
  Message message;
};

// Who is at the other end: a bus, which wants to be greeted and told what signals to pass on, or a program
// (systemd itself) that does without.
enum class Peer : uint8_t { kBus, kProgram };

inline constexpr uint64_t kCallTimeoutNs = 30'000'000'000;

// A connection to a bus, or to a program behind a socket of its own. No call waits longer than its time.
class Connection {
 public:
  static Result<Connection> open(const Address& address, Peer peer, uint64_t timeout_ns = kCallTimeoutNs);

  // The answer. An error of the other side's is an Error with its name and text, and the errno that is
  // nearest to it: ENOENT for a unit that is not there, EEXIST for one that is, EACCES, ETIMEDOUT; EIO
  // otherwise.
  Result<Received> call(const Call& call, uint64_t timeout_ns = kCallTimeoutNs);
  // The next signal of that name, be it one that came while a call was waiting for its answer.
  Result<Received> wait_for_signal(std::string_view member, uint64_t end_ns);
  // Has the bus pass such signals on; a program does so unasked.
  Status subscribe(std::string_view rule);

  Peer peer() const { return peer_; }

 private:
  explicit Connection(UniqueFd socket, Peer peer) : socket_(std::move(socket)), peer_(peer) {}

  enum class Identity : uint8_t { kOfSocket, kByNumber };
  static Result<Connection> connect_as(Identity identity, const Address& address, Peer peer, uint64_t end_ns);
  Status authenticate(Identity identity, uint64_t end_ns);
  Result<String> read_line(uint64_t end_ns);
  Status send(std::string_view bytes, uint64_t end_ns);
  Status receive(uint64_t end_ns);
  Status wait(short events, uint64_t end_ns);
  Result<Received> next(uint64_t end_ns);
  void keep(Received signal);

  UniqueFd socket_;
  Peer peer_ = Peer::kProgram;
  uint32_t serial_ = 0;
  String unread_;
  Vector<Received> signals_;
};

}  // namespace nsbox::cgroup::dbus
