#include <fcntl.h>
#include <linux/sched.h>
#include <napi.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>

#include "addon/convert.h"
#include "addon/env_fd.h"
#include "addon/exports.h"
#include "addon/poll.h"
#include "addon/spawn.h"
#include "core/container/plan.h"
#include "core/container/protocol.h"
#include "core/process/channel.h"
#include "core/sys/file.h"

namespace nsbox::addon {
namespace {

constexpr int kPidfd = 3;             // waitid's P_PIDFD
constexpr int kWaitAll = 0x40000000;  // __WALL: our children send no SIGCHLD.

// A text that is too long for one message goes into a memory file.
Result<UniqueFd> memory_file(std::initializer_list<std::string_view> pieces) {
  UniqueFd file = TRY(sys::memfd_create("nsbox-text", 0));
  for (std::string_view piece : pieces) TRY(write_all(file.get(), piece.data(), piece.size()));
  return file;
}

template <typename T>
std::string_view bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

Status send_plan(int channel, std::string_view json, std::string_view filter, Vector<int> fds) {
  PlanHeader header;
  header.json_size = static_cast<uint32_t>(json.size());
  header.filter_size = static_cast<uint32_t>(filter.size());
  if (sizeof header + json.size() + filter.size() <= kMaxMessage) {
    const std::string_view parts[] = {bytes_of(header), json, filter};
    return send_message(channel, parts, fds);
  }
  header.in_memfd = 1;
  UniqueFd file = TRY(memory_file({json, filter}));
  fds.insert(fds.begin(), file.get());
  const std::string_view parts[] = {bytes_of(header)};
  return send_message(channel, parts, fds);
}

class Box;

class ChannelPoll : public Poll {
 public:
  ChannelPoll(Napi::Env env, Box& box) : Poll(env), box_(box) {}
  void on_ready(int) override;
  void on_environment_end() override;

 private:
  Box& box_;
};

class ExitPoll : public Poll {
 public:
  ExitPoll(Napi::Env env, Box& box) : Poll(env), box_(box) {}
  void on_ready(int) override;

 private:
  Box& box_;
};

// One box's init, from this side.
class Box : public Napi::ObjectWrap<Box> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "NativeBox",
                       {InstanceMethod<&Box::request>("request"), InstanceMethod<&Box::begin>("begin"),
                        InstanceMethod<&Box::kill>("kill"), InstanceMethod<&Box::ref>("ref"),
                        InstanceMethod<&Box::unref>("unref"), InstanceAccessor<&Box::pid>("pid")});
  }

  // (runtime, namespaces, prepared namespaces, onMessage)
  explicit Box(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<Box>(info), env_(info.Env()), channel_poll_(env_, *this), exit_poll_(env_, *this) {
    auto started = start(info);
    if (!started) throw_js(env_, started.error());
  }

  ~Box() override {
    if (channel_) end();
  }

  void on_channel() {
    const Napi::HandleScope scope(env_);
    if (!can_run_javascript(env_)) return;
    std::array<char, 16 * 1024> buffer;
    while (channel_) {
      auto message = receive_message(channel_.get(), buffer);
      if (message.err() == EAGAIN) return;
      if (!message || message->size < sizeof(Reply)) {
        // Init is gone or going; its pidfd tells when all of the box is.
        channel_poll_.close();
        return;
      }
      deliver({buffer.data(), message->size}, std::move(message->fds));
    }
  }

  void on_exit() {
    const Napi::HandleScope outer(env_);
    if (!can_run_javascript(env_)) return;
    on_channel();
    siginfo_t info = {};
    rusage usage = {};
    if (!sys::waitid(kPidfd, pidfd_.get(), &info, WEXITED | WNOHANG | kWaitAll, &usage) || !info.si_pid)
      return;
    const Napi::HandleScope scope(env_);
    channel_poll_.close();
    exit_poll_.close();
    channel_.reset();
    pidfd_.reset();
    if (spawned_.exec_error()) report_exec_error();
    Napi::FunctionReference callback = std::move(on_message_);
    Unref();
    const auto number = [this](auto value) { return Napi::Number::New(env_, static_cast<double>(value)); };
    const auto microseconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
    };
    // With what init has used come all whom it has reaped, also at its own end.
    call_back(env_, callback,
              {number(kClosed), number(0), number(info.si_status), number(info.si_code),
               number(microseconds(usage.ru_utime)), number(microseconds(usage.ru_stime)),
               number(usage.ru_maxrss), to_js(env_, std::string_view()), Napi::Array::New(env_)});
  }

  // The environment ends before the box: it must not outlive it, nor leave a zombie.
  void end() {
    if (!pidfd_) return;
    (void)sys::pidfd_send_signal(pidfd_.get(), SIGKILL);
    channel_.reset();
    // libuv has made the pidfd non-blocking, and waitid heeds that.
    sys::Pollfd exited = {pidfd_.get(), POLLIN, 0};
    (void)sys::poll(&exited, 1, -1);
    (void)sys::waitid(kPidfd, pidfd_.get(), nullptr, WEXITED | kWaitAll, nullptr);
    pidfd_.reset();
    on_message_.Reset();
  }

 private:
  static constexpr int kClosed = 100;

  Status start(const Napi::CallbackInfo& info) {
    ChannelPair pair = TRY(make_channel());
    const uint32_t prepared = unsigned_of(info[2]);
    if (prepared) {
      const PrepareMessage prepare{.namespaces = prepared};
      const std::string_view parts[] = {bytes_of(prepare)};
      TRY(send_message(pair.ours.get(), parts, {}));
    }
    spawned_ = TRY(spawn_runtime({.program = int_of(info[0]),
                                  .command = "init",
                                  .channel = pair.theirs.get(),
                                  .namespaces = unsigned_of(info[1])}));
    channel_ = std::move(pair.ours);
    pidfd_ = spawned_.take_pidfd();
    on_message_ = Napi::Persistent(info[3].As<Napi::Function>());
    if (!channel_poll_.open(channel_.get()) || !exit_poll_.open(pidfd_.get())) {
      end();
      return Error(EMFILE, format("watch the box"));
    }
    channel_poll_.start(UV_READABLE);
    exit_poll_.start(UV_READABLE);
    Ref();  // Until its end is told.
    return Ok{};
  }

  // (json, filter | undefined, fds, closeAfter)
  Napi::Value begin(const Napi::CallbackInfo& info) {
    const std::string json = text_of(info[0]);
    std::string_view filter;
    if (info[1].IsTypedArray()) {
      const auto bytes = info[1].As<Napi::Uint8Array>();
      filter = {reinterpret_cast<const char*>(bytes.Data()), bytes.ByteLength()};
    }
    auto sent = channel_ ? send_plan(channel_.get(), json, filter, ints_of(info[2])) : Status(Error(EPIPE));
    for (const int fd : ints_of(info[3])) (void)sys::close(fd);
    if (!sent) return throw_js(env_, sent.error().while_doing("hand over the plan"));
    return env_.Undefined();
  }

  // (kind, id, value, text | undefined, fds, closeAfter)
  Napi::Value request(const Napi::CallbackInfo& info) {
    const std::string text = text_of(info[3]);
    auto sent = send_request(info, text);
    // A full channel: the caller keeps the request, and asks again.
    if (sent.err() != EAGAIN)
      for (const int fd : ints_of(info[5])) (void)sys::close(fd);
    if (!sent) return throw_js(env_, sent.error().while_doing("send a request to the box"));
    return env_.Undefined();
  }

  Status send_request(const Napi::CallbackInfo& info, std::string_view text) {
    if (!channel_) return Error(EPIPE);
    Request request{.kind = static_cast<RequestKind>(unsigned_of(info[0])),
                    .id = unsigned_of(info[1]),
                    .value = int_of(info[2], 0),
                    .text_size = static_cast<uint32_t>(text.size())};
    Vector<int> fds = ints_of(info[4]);
    UniqueFd file;
    if (sizeof request + text.size() > kMaxMessage) {
      file = TRY(memory_file({text}));
      fds.insert(fds.begin(), file.get());
      text = {};
    }
    const std::string_view parts[] = {bytes_of(request), text};
    return send_message(channel_.get(), parts, fds);
  }

  void deliver(std::string_view message, Vector<UniqueFd> fds) {
    Reply reply;
    memcpy(&reply, message.data(), sizeof reply);
    const Napi::HandleScope scope(env_);
    const Napi::Array numbers = Napi::Array::New(env_, fds.size());
    for (uint32_t i = 0; i < fds.size(); i++) numbers.Set(i, Napi::Number::New(env_, fds[i].release()));
    const auto number = [this](auto value) { return Napi::Number::New(env_, static_cast<double>(value)); };
    call_back(env_, on_message_,
              {number(static_cast<uint32_t>(reply.kind)), number(reply.id), number(reply.value),
               number(reply.status), number(reply.user_us), number(reply.system_us),
               number(reply.memory_peak_kb), to_js(env_, message.substr(sizeof reply)), numbers});
  }

  // Init has never come to be.
  void report_exec_error() {
    const Error error = Error(spawned_.exec_error(), format("execute nsbox-runtime"));
    Reply reply{.kind = ReplyKind::kFailed, .value = error.err(), .status = 125};
    const String text = format(bytes_of(reply), error.message());
    deliver(text.view(), {});
  }

  Napi::Value kill(const Napi::CallbackInfo& info) {
    if (pidfd_) (void)sys::pidfd_send_signal(pidfd_.get(), int_of(info[0], SIGKILL));
    return env_.Undefined();
  }
  Napi::Value ref(const Napi::CallbackInfo&) {
    channel_poll_.ref();
    exit_poll_.ref();
    return env_.Undefined();
  }
  Napi::Value unref(const Napi::CallbackInfo&) {
    channel_poll_.unref();
    exit_poll_.unref();
    return env_.Undefined();
  }
  Napi::Value pid(const Napi::CallbackInfo&) { return Napi::Number::New(env_, spawned_.pid()); }

  Napi::Env env_;
  UniqueFd channel_;
  UniqueFd pidfd_;
  Spawned spawned_;
  Napi::FunctionReference on_message_;
  ChannelPoll channel_poll_;
  ExitPoll exit_poll_;
};

void ChannelPoll::on_ready(int) { box_.on_channel(); }
void ChannelPoll::on_environment_end() { box_.end(); }
void ExitPoll::on_ready(int) { box_.on_exit(); }

// loadRuntime(path): the descriptor of a sealed copy.
Napi::Value load_runtime(const Napi::CallbackInfo& info) {
  auto loaded = load_sealed(text_of(info[0]).c_str());
  if (!loaded) return throw_js(info.Env(), loaded.error());
  close_with_environment(info.Env(), loaded->get());
  return Napi::Number::New(info.Env(), loaded->release());
}

}  // namespace

void export_box(Napi::Env env, Napi::Object exports) {
  exports.Set("NativeBox", Box::define(env));
  exports.Set("loadRuntime", Napi::Function::New(env, load_runtime));
}

}  // namespace nsbox::addon
