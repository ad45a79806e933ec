#include <fcntl.h>
#include <napi.h>

#include <cerrno>

#include "addon/convert.h"
#include "addon/exports.h"
#include "addon/poll.h"
#include "core/sys/syscalls.h"

namespace nsbox::addon {
namespace {

// Tells when the process of a pidfd has ended. Whose child it is does not matter; its exit status is its
// parent's to know.
class PidfdWatch : public Napi::ObjectWrap<PidfdWatch>, private Poll {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "PidfdWatch", {InstanceMethod<&PidfdWatch::close_watch>("close")});
  }

  // (pidfd, onEnd): watches a copy, as one descriptor can be watched once only.
  explicit PidfdWatch(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<PidfdWatch>(info), Poll(info.Env()), env_(info.Env()) {
    auto copy = sys::fcntl(int_of(info[0]), F_DUPFD_CLOEXEC, 3);
    if (copy) pidfd_.reset(*copy);
    if (!copy || !Poll::open(pidfd_.get())) {
      throw_js(env_, Error(EBADF, format("watch a process")));
      return;
    }
    on_end_ = Napi::Persistent(info[1].As<Napi::Function>());
    Poll::start(UV_READABLE);
    Ref();
  }

 private:
  void on_ready(int) override {
    const Napi::HandleScope scope(env_);
    if (!can_run_javascript(env_)) return;
    call_back(env_, finish(), {});
  }

  void on_environment_end() override { on_end_.Reset(); }

  Napi::FunctionReference finish() {
    Napi::FunctionReference callback = std::move(on_end_);
    if (!pidfd_) return callback;
    Poll::close();
    pidfd_.reset();
    Unref();
    return callback;
  }

  Napi::Value close_watch(const Napi::CallbackInfo& info) {
    finish();
    return info.Env().Undefined();
  }

  Napi::Env env_;
  UniqueFd pidfd_;
  Napi::FunctionReference on_end_;
};

// signalPidfd(pidfd, signal): whether there was still somebody to get it.
Napi::Value signal_pidfd(const Napi::CallbackInfo& info) {
  auto sent = sys::pidfd_send_signal(int_of(info[0]), int_of(info[1]));
  if (!sent && sent.err() != ESRCH) return throw_js(info.Env(), sent.error().while_doing("send a signal"));
  return Napi::Boolean::New(info.Env(), static_cast<bool>(sent));
}

}  // namespace

void export_pidfd(Napi::Env env, Napi::Object exports) {
  exports.Set("PidfdWatch", PidfdWatch::define(env));
  exports.Set("signalPidfd", Napi::Function::New(env, signal_pidfd));
}

}  // namespace nsbox::addon
