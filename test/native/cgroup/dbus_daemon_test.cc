// A real dbus-daemon as the other side, on a socket of the test's own.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <thread>

#include "core/cgroup/dbus_connection.h"
#include "core/sys/syscalls.h"
#include "support/forked.h"
#include "support/workspace.h"
#include "test.h"

using namespace nsbox;
using namespace nsbox::cgroup::dbus;
using namespace nsbox::test;

namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr std::string_view kBus = "org.freedesktop.DBus", kBusObject = "/org/freedesktop/DBus";

// A bus for those who may connect to a socket in its directory; ends with its scope.
class Daemon {
 public:
  Daemon() {
    work_.file("bus.conf", "<busconfig><type>session</type><listen>unix:path=" + path() +
                               "</listen><auth>EXTERNAL</auth><policy context=\"default\">"
                               "<allow send_destination=\"*\"/><allow receive_sender=\"*\"/>"
                               "<allow own=\"*\"/><deny own=\"not.Yours\"/></policy></busconfig>");
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) != 0) return;
    pid_ = fork();
    if (pid_ == 0) run(ready[1]);
    close(ready[1]);
    // It prints its address when it listens, and nothing when it cannot be run.
    char byte;
    runs_ = read(ready[0], &byte, 1) == 1;
    close(ready[0]);
    if (!runs_) skip_on_this_machine("dbus-daemon is not installed");
  }
  Daemon(const Daemon&) = delete;
  ~Daemon() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  explicit operator bool() const { return runs_; }
  std::string path() const { return work_.path("bus"); }
  Address address() const { return {String(path()), false}; }
  pid_t pid() const { return pid_; }

 private:
  [[noreturn]] void run(int out) const {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out, 1);
    dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 2);  // It complains of limits that it may not raise.
    const std::string config = "--config-file=" + work_.path("bus.conf");
    execlp("dbus-daemon", "dbus-daemon", config.c_str(), "--nofork", "--nopidfile", "--nosyslog",
           "--print-address=1", nullptr);
    _exit(127);
  }

  Workspace work_;
  pid_t pid_ = -1;
  bool runs_ = false;
};

Result<Received> ask(Connection& connection, std::string_view member, std::string_view signature = "",
                     const Writer& body = {}) {
  return connection.call({kBus, kBusObject, kBus, member, signature, body.view()}, 10 * kSecond);
}

Status request_name(Connection& connection, std::string_view name) {
  Writer body;
  body.string(name).uint32(0);
  auto answer = ask(connection, "RequestName", "su", body);
  if (!answer) return answer.error();
  return Ok{};
}

// Somebody at the other end of a socket who is no bus: says its piece to each who comes, and hangs up or not.
class Stranger {
 public:
  enum class End { kHangUp, kSilence };
  Stranger(std::string_view says, End end) {
    const std::string path = work_.path("bus");
    sockaddr_un place = {};
    place.sun_family = AF_UNIX;
    path.copy(place.sun_path, sizeof place.sun_path - 1);
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&place), sizeof place) != 0 || listen(listener_, 4) != 0)
      return;
    thread_ = std::thread([this, text = std::string(says), end] {
      for (int peer; (peer = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0; close(peer)) {
        char buffer[4096];
        (void)!read(peer, buffer, sizeof buffer);
        (void)!send(peer, text.data(), text.size(), MSG_NOSIGNAL);
        while (end == End::kSilence && read(peer, buffer, sizeof buffer) > 0) {
        }
      }
    });
  }
  Stranger(const Stranger&) = delete;
  ~Stranger() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  Address address() const { return {String(work_.path("bus")), false}; }

 private:
  Workspace work_;
  int listener_ = -1;
  std::thread thread_;
};

std::string opened(const Stranger& stranger, Peer peer = Peer::kBus) {
  auto connection = Connection::open(stranger.address(), peer, kSecond / 2);
  if (connection) return "ok";
  std::string message = told(connection);
  const std::string path(stranger.address().name.view());
  if (const size_t at = message.find(path); at != std::string::npos) message.replace(at, path.size(), "BUS");
  return message;
}

}  // namespace

TEST("dbus daemon: greets us, and answers") {
  Daemon daemon;
  if (!daemon) return;
  MUST(connection, Connection::open(daemon.address(), Peer::kBus));
  MUST(answer, ask(connection, "ListNames"));
  auto names = Reader(answer.message).array();
  bool bus = false, own = false;
  while (names && names->next()) {
    const auto name = names->string().value_or("");
    bus = bus || name == kBus;
    own = own || name.starts_with(":1.");
  }
  EXPECT(bus && own);
  MUST(features, connection.call({kBus, kBusObject, "org.freedesktop.DBus.Properties", "Get", "ss",
                                  Writer().string(kBus).string("Features").view()}));
  auto value = Reader(features.message).variant();
  EXPECT(value && value->next() == 'a' && value->array());
}

TEST("dbus daemon: its errors are told with their names") {
  Daemon daemon;
  if (!daemon) return;
  MUST(connection, Connection::open(daemon.address(), Peer::kBus));
  auto nobody = connection.call({"not.There", "/a", "a.b", "C", "", ""});
  EXPECT_EQ(nobody.err(), ENOENT);
  EXPECT(told(nobody).starts_with("org.freedesktop.DBus.Error.ServiceUnknown: The name not.There"));
  const Status denied = request_name(connection, "not.Yours");
  EXPECT_EQ(denied.err(), EACCES);
  EXPECT_EQ(ask(connection, "RequestName", "s", Writer().string("a")).err(), EINVAL);
  // The connection goes on.
  EXPECT(ask(connection, "ListNames"));
}

TEST("dbus daemon: signals that come before the answer are kept") {
  Daemon daemon;
  if (!daemon) return;
  MUST(connection, Connection::open(daemon.address(), Peer::kBus));
  EXPECT_EQ(told(connection.subscribe("type='signal',member='NameOwnerChanged',arg0='own.Name'")), "ok");
  EXPECT_EQ(told(request_name(connection, "own.Name")), "ok");
  EXPECT(ask(connection, "ListNames"));  // By now it is there.
  MUST(signal, connection.wait_for_signal("NameOwnerChanged", sys::monotonic_ns() + 10 * kSecond));
  Reader body(signal.message);
  EXPECT_EQ(body.string().value_or("?"), "own.Name");
  EXPECT_EQ(body.string().value_or("?"), "");
  EXPECT(body.string().value_or("?").starts_with(":1."));
  EXPECT_EQ(connection.wait_for_signal("NameOwnerChanged", sys::monotonic_ns() + kSecond / 10).err(),
            ETIMEDOUT);
}

TEST("dbus daemon: signals of another's doing are waited for") {
  Daemon daemon;
  if (!daemon) return;
  MUST(connection, Connection::open(daemon.address(), Peer::kBus));
  EXPECT_EQ(told(connection.subscribe("type='signal',member='NameOwnerChanged',arg0='other.Name'")), "ok");
  std::thread other([&] {
    auto second = Connection::open(daemon.address(), Peer::kBus);
    if (second) (void)request_name(*second, "other.Name");
  });
  auto signal = connection.wait_for_signal("NameOwnerChanged", sys::monotonic_ns() + 10 * kSecond);
  EXPECT_EQ(told(signal), "ok");
  other.join();
}

TEST("dbus daemon: large messages go both ways") {
  Daemon daemon;
  if (!daemon) return;
  MUST(connection, Connection::open(daemon.address(), Peer::kBus));
  const std::string text(200'000, 'a');
  auto answer = ask(connection, "NameHasOwner", "s", Writer().string(text));
  EXPECT(!answer || !*Reader(answer->message).boolean());
  EXPECT_EQ(ask(connection, "NameHasOwner", "s", Writer().string(std::string(2 << 20, 'a'))).err(), E2BIG);
}

TEST("dbus daemon: root in a user namespace is who it is outside") {
  Daemon daemon;
  if (!daemon || geteuid() != 0) return;
  in_fork([&] {
    // Our own number maps to another inside.
    if (unshare(CLONE_NEWUSER) != 0) return;
    auto connection = Connection::open(daemon.address(), Peer::kBus);
    EXPECT_EQ(told(connection), "ok");
  });
}

TEST("dbus daemon: one that stops or dies does not hold us") {
  Daemon daemon;
  if (!daemon) return;
  MUST(connection, Connection::open(daemon.address(), Peer::kBus));
  kill(daemon.pid(), SIGSTOP);
  const Call list = {kBus, kBusObject, kBus, "ListNames", "", ""};
  EXPECT_EQ(connection.call(list, kSecond / 10).err(), ETIMEDOUT);
  EXPECT_EQ(Connection::open(daemon.address(), Peer::kBus, kSecond / 10).err(), ETIMEDOUT);
  kill(daemon.pid(), SIGCONT);
  EXPECT(connection.call(list));  // The late answer to the first call is not taken for this one's.
  kill(daemon.pid(), SIGKILL);
  EXPECT(!connection.call(list));
}

TEST("dbus daemon: whoever is no bus is told from one") {
  using End = Stranger::End;
  const std::string who = "authenticate at BUS: ";
  EXPECT_EQ(opened({"", End::kHangUp}).substr(0, who.size()), who);
  EXPECT_EQ(opened({"HTTP/1.1 400\r\n", End::kSilence}), who + "the other side refuses this user");
  EXPECT_EQ(opened({"REJECTED EXTERNAL\r\n", End::kHangUp}), who + "the other side refuses this user");
  EXPECT_EQ(opened({std::string(3000, 'x'), End::kSilence}), who + "the other side does not speak D-Bus");
  EXPECT_EQ(opened({"OK", End::kSilence}), who + "no answer in time");
  EXPECT_EQ(opened({"OK 1\r\n", End::kSilence}, Peer::kProgram), "ok");
  EXPECT_EQ(opened({"DATA\r\nOK 1\r\n", End::kSilence}, Peer::kProgram), "ok");
  EXPECT_EQ(opened({"OK 1\r\nthis is not a message", End::kSilence}),
            "greet the bus at BUS: a malformed D-Bus message: it is not little-endian");
  EXPECT_EQ(opened({"OK 1\r\n", End::kSilence}), "greet the bus at BUS: no answer in time");
}
