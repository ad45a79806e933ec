#pragma once

#include <napi.h>
#include <uv.h>

#include "addon/convert.h"

namespace nsbox::addon {

// Watches one descriptor on the environment's own event loop. Derived classes own the descriptor. When the
// environment ends first (a worker that terminates), the handle is closed with it and `on_environment_end` is
// called.
class Poll {
 public:
  explicit Poll(Napi::Env env);
  virtual ~Poll();
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;

  bool open(int fd);
  void start(int events);
  void stop();
  void close();
  void ref();
  void unref();
  bool is_open() const { return handle_ != nullptr; }

 protected:
  virtual void on_ready(int events) = 0;
  virtual void on_environment_end() {}

 private:
  friend class PollList;

  struct Handle;

  Napi::Env env_;
  Handle* handle_ = nullptr;
  Poll* previous_ = nullptr;
  Poll* next_ = nullptr;
  class PollList* list_ = nullptr;
};

// Calls back into JavaScript from the event loop; an exception there is as fatal as in any other event.
void call_back(Napi::Env env, const Napi::FunctionReference& function,
               std::initializer_list<napi_value> arguments);

}  // namespace nsbox::addon
