#include <fcntl.h>
#include <napi.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "addon/convert.h"
#include "addon/env_fd.h"
#include "addon/exports.h"
#include "addon/poll.h"
#include "core/process/channel.h"
#include "core/sys/syscalls.h"

namespace nsbox::addon {
namespace {

// A socket in a directory, at which one caller hands over one descriptor: a terminal, or a pidfd, as the
// `--console-socket` and `--pidfd-socket` of an OCI runtime give it.
class DescriptorReceiver : public Napi::ObjectWrap<DescriptorReceiver>, private Poll {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "DescriptorReceiver",
                       {InstanceMethod<&DescriptorReceiver::close_receiver>("close")});
  }

  // (directory, name, onDescriptor(fd)); -1 when the caller went without having given one.
  explicit DescriptorReceiver(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<DescriptorReceiver>(info), Poll(info.Env()), env_(info.Env()), connection_(*this) {
    auto done = listen(text_of(info[0]), text_of(info[1]));
    if (!done) {
      throw_js(env_, done.error().while_doing("listen for a descriptor"));
      return;
    }
    on_descriptor_ = Napi::Persistent(info[2].As<Napi::Function>());
    Poll::start(UV_READABLE);
    Ref();
  }

 private:
  class Connection : public Poll {
   public:
    explicit Connection(DescriptorReceiver& owner) : Poll(owner.env_), owner_(owner) {}
    void on_ready(int) override { owner_.receive(); }

   private:
    DescriptorReceiver& owner_;
  };

  Status listen(const std::string& directory, const std::string& name) {
    const UniqueFd place = TRY(sys::open(directory.c_str(), O_PATH | O_DIRECTORY));
    socket_ = TRY(sys::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    // By a descriptor, since the path may be longer than an address.
    const String path = format("/proc/self/fd/", place.get(), "/", name.c_str());
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return Error(ENAMETOOLONG);
    memcpy(&address.sun_path, path.c_str(), path.size() + 1);
    TRY(sys::bind(socket_.get(), &address, sizeof address));
    TRY(sys::listen(socket_.get(), 1));
    return Poll::open(socket_.get()) ? Status(Ok{}) : Status(Error(EBADF));
  }

  void on_ready(int) override {
    auto accepted = sys::accept(socket_.get());
    if (!accepted) return;
    Poll::stop();
    connected_ = std::move(*accepted);
    (void)sys::fcntl(connected_.get(), F_SETFL, O_RDWR | O_NONBLOCK);
    if (connection_.open(connected_.get())) connection_.start(UV_READABLE);
  }

  void receive() {
    const Napi::HandleScope scope(env_);
    if (!can_run_javascript(env_)) return;
    char name[4096];
    auto message = receive_message(connected_.get(), name);
    if (message.err() == EAGAIN || message.err() == EINTR) return;
    int fd = -1;
    if (message && !message->fds.empty()) {
      fd = message->fds[0].release();
      close_with_environment(env_, fd);
    }
    call_back(env_, finish(), {Napi::Number::New(env_, fd)});
  }

  void on_environment_end() override { on_descriptor_.Reset(); }

  Napi::FunctionReference finish() {
    Napi::FunctionReference callback = std::move(on_descriptor_);
    if (!socket_) return callback;
    Poll::close();
    connection_.close();
    socket_.reset();
    connected_.reset();
    Unref();
    return callback;
  }

  Napi::Value close_receiver(const Napi::CallbackInfo& info) {
    finish();
    return info.Env().Undefined();
  }

  Napi::Env env_;
  UniqueFd socket_;
  UniqueFd connected_;
  Connection connection_;
  Napi::FunctionReference on_descriptor_;
};

}  // namespace

void export_receiver(Napi::Env env, Napi::Object exports) {
  exports.Set("DescriptorReceiver", DescriptorReceiver::define(env));
}

}  // namespace nsbox::addon
