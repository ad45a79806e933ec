#include <fcntl.h>
#include <napi.h>

#include <cerrno>

#include "addon/convert.h"
#include "addon/env_fd.h"
#include "addon/exports.h"
#include "addon/poll.h"
#include "core/process/terminal.h"
#include "core/sys/syscalls.h"

namespace nsbox::addon {
namespace {

constexpr size_t kChunk = size_t{64} * 1024;
// So that one busy pipe does not keep the event loop from the others.
constexpr int kChunksATurn = 4;

// Reads a pipe or a terminal's master on the event loop: chunks, then null at its end. Stopped, it reads
// nothing, and the writer at the other end waits.
class PipeReader : public Napi::ObjectWrap<PipeReader>, private Poll {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(
        env, "PipeReader",
        {InstanceMethod<&PipeReader::start_reading>("start"),
         InstanceMethod<&PipeReader::stop_reading>("stop"), InstanceMethod<&PipeReader::drain>("drain"),
         InstanceMethod<&PipeReader::close_pipe>("close")});
  }

  // (fd, onChunk): the descriptor is ours from here on.
  explicit PipeReader(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<PipeReader>(info), Poll(info.Env()), env_(info.Env()), fd_(int_of(info[0])) {
    on_chunk_ = Napi::Persistent(info[1].As<Napi::Function>());
    if (!Poll::open(fd_.get())) {
      throw_js(env_, Error(EBADF, format("watch a pipe")));
      return;
    }
    Ref();
  }

 private:
  void on_ready(int) override { read_chunks(kChunksATurn); }

  void read_chunks(int most) {
    const Napi::HandleScope scope(env_);
    if (!can_run_javascript(env_)) return;
    char buffer[kChunk];
    for (int i = 0; i < most && reading_; i++) {
      auto got = sys::read(fd_.get(), buffer, sizeof buffer);
      if (got.err() == EAGAIN || got.err() == EINTR) return;
      // EIO is how a terminal's master tells that the last slave is closed.
      if (!got || *got == 0) return finish();
      call_back(env_, on_chunk_, {Napi::Buffer<char>::Copy(env_, buffer, *got)});
    }
  }

  void on_environment_end() override { on_chunk_.Reset(); }

  void finish() {
    if (!fd_) return;
    reading_ = false;
    Poll::close();
    fd_.reset();
    Napi::FunctionReference callback = std::move(on_chunk_);
    Unref();
    call_back(env_, callback, {env_.Null()});
  }

  Napi::Value start_reading(const Napi::CallbackInfo&) {
    reading_ = true;
    Poll::start(UV_READABLE);
    return env_.Undefined();
  }
  Napi::Value stop_reading(const Napi::CallbackInfo&) {
    reading_ = false;
    Poll::stop();
    return env_.Undefined();
  }
  // All that a process which has ended left in the pipe, now; from here on the pipe keeps no event loop
  // alive.
  Napi::Value drain(const Napi::CallbackInfo&) {
    constexpr int kMost = 64;  // A pipe holds 1 MiB at the most.
    read_chunks(kMost);
    Poll::unref();
    return env_.Undefined();
  }
  Napi::Value close_pipe(const Napi::CallbackInfo&) {
    finish();
    return env_.Undefined();
  }

  Napi::Env env_;
  UniqueFd fd_;
  Napi::FunctionReference on_chunk_;
  bool reading_ = false;
};

// makePipes(): [stdin read, stdin write, stdout read, stdout write, stderr read, stderr write]; our ends do
// not block.
Napi::Value make_pipes(const Napi::CallbackInfo& info) {
  UniqueFd fds[6];
  for (int i = 0; i < 3; i++) {
    int ends[2];
    auto made = sys::pipe2(ends, 0);
    if (!made) return throw_js(info.Env(), made.error().while_doing("make a pipe"));
    fds[2 * i].reset(ends[0]);
    fds[2 * i + 1].reset(ends[1]);
    const int ours = i == 0 ? ends[1] : ends[0];
    (void)sys::fcntl(ours, F_SETFL, O_NONBLOCK | (i == 0 ? O_WRONLY : O_RDONLY));
  }
  // The readers own theirs; the child's ends are closed when they are handed over.
  close_with_environment(info.Env(), fds[1].get());
  const Napi::Array out = Napi::Array::New(info.Env(), 6);
  for (uint32_t i = 0; i < 6; i++) out.Set(i, Napi::Number::New(info.Env(), fds[i].release()));
  return out;
}

// closeFd(fd)
Napi::Value close_fd(const Napi::CallbackInfo& info) {
  forget(info.Env(), int_of(info[0]));
  (void)sys::close(int_of(info[0]));
  return info.Env().Undefined();
}

// forgetFd(fd): it has a new owner.
Napi::Value forget_fd(const Napi::CallbackInfo& info) {
  forget(info.Env(), int_of(info[0]));
  return info.Env().Undefined();
}

// duplicateFd(fd): a close-on-exec copy.
Napi::Value duplicate_fd(const Napi::CallbackInfo& info) {
  auto copy = sys::fcntl(int_of(info[0]), F_DUPFD_CLOEXEC, 3);
  if (!copy) return throw_js(info.Env(), copy.error().while_doing("duplicate a descriptor"));
  return Napi::Number::New(info.Env(), *copy);
}

// setNonBlocking(fd)
Napi::Value set_non_blocking(const Napi::CallbackInfo& info) {
  const int fd = int_of(info[0]);
  auto flags = sys::fcntl(fd, F_GETFL, 0);
  if (flags) (void)sys::fcntl(fd, F_SETFL, *flags | O_NONBLOCK);
  return info.Env().Undefined();
}

// setWindowSize(terminal, columns, rows)
Napi::Value resize(const Napi::CallbackInfo& info) {
  auto done = set_window_size(int_of(info[0]), static_cast<uint16_t>(unsigned_of(info[1])),
                              static_cast<uint16_t>(unsigned_of(info[2])));
  if (!done) return throw_js(info.Env(), done.error().while_doing("set the window size"));
  return info.Env().Undefined();
}

// writeNow(fd, bytes): how many were taken without waiting; -1 when the other end is closed.
Napi::Value write_now(const Napi::CallbackInfo& info) {
  const auto bytes = info[1].As<Napi::Uint8Array>();
  auto written = sys::write(int_of(info[0]), bytes.Data(), bytes.ByteLength());
  if (written) return Napi::Number::New(info.Env(), static_cast<double>(*written));
  if (written.err() == EAGAIN) return Napi::Number::New(info.Env(), 0);
  if (written.err() == EPIPE) return Napi::Number::New(info.Env(), -1);
  return throw_js(info.Env(), written.error().while_doing("write to a pipe"));
}

}  // namespace

void export_pipe(Napi::Env env, Napi::Object exports) {
  exports.Set("PipeReader", PipeReader::define(env));
  exports.Set("makePipes", Napi::Function::New(env, make_pipes));
  exports.Set("closeFd", Napi::Function::New(env, close_fd));
  exports.Set("forgetFd", Napi::Function::New(env, forget_fd));
  exports.Set("duplicateFd", Napi::Function::New(env, duplicate_fd));
  exports.Set("setNonBlocking", Napi::Function::New(env, set_non_blocking));
  exports.Set("setWindowSize", Napi::Function::New(env, resize));
  exports.Set("writeNow", Napi::Function::New(env, write_now));
}

}  // namespace nsbox::addon
