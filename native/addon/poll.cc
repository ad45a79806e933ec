#include "addon/poll.h"

namespace nsbox::addon {

// Outlives its Poll until libuv has let go of it.
struct Poll::Handle {
  uv_poll_t poll;
  Poll* owner;
  PollList* list;
};

// All open handles of one environment: it may not end before they are closed.
class PollList {
 public:
  static PollList* of(Napi::Env env) {
    auto* list = env.GetInstanceData<PollList>();
    if (!list) {
      list = new PollList(env);
      env.SetInstanceData<PollList>(list);
    }
    return list;
  }

  explicit PollList(Napi::Env env) { napi_add_async_cleanup_hook(env, &PollList::end, this, &hook_); }

  void add(Poll* poll) {
    poll->next_ = first_;
    poll->previous_ = nullptr;
    if (first_) first_->previous_ = poll;
    first_ = poll;
    open_++;
  }

  void remove(Poll* poll) {
    if (poll->previous_)
      poll->previous_->next_ = poll->next_;
    else
      first_ = poll->next_;
    if (poll->next_) poll->next_->previous_ = poll->previous_;
  }

  void closed() {
    open_--;
    finish();
  }

 private:
  static void end(napi_async_cleanup_hook_handle, void* data) {
    auto* list = static_cast<PollList*>(data);
    list->ending_ = true;
    while (list->first_) {
      Poll* poll = list->first_;
      poll->on_environment_end();
      poll->close();
    }
    list->finish();
  }

  void finish() {
    if (!ending_ || open_ > 0 || !hook_) return;
    napi_remove_async_cleanup_hook(std::exchange(hook_, nullptr));
  }

  Poll* first_ = nullptr;
  int open_ = 0;
  bool ending_ = false;
  napi_async_cleanup_hook_handle hook_ = nullptr;
};

Poll::Poll(Napi::Env env) : env_(env) {}

Poll::~Poll() { close(); }

bool Poll::open(int fd) {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env_, &loop) != napi_ok) return false;
  auto* handle = new Handle{};
  if (uv_poll_init(loop, &handle->poll, fd) != 0) {
    delete handle;
    return false;
  }
  list_ = PollList::of(env_);
  handle->owner = this;
  handle->list = list_;
  handle->poll.data = handle;
  handle_ = handle;
  list_->add(this);
  return true;
}

void Poll::start(int events) {
  if (!handle_) return;
  uv_poll_start(&handle_->poll, events, [](uv_poll_t* poll, int status, int ready) {
    auto* handle = static_cast<Handle*>(poll->data);
    if (handle->owner) handle->owner->on_ready(status < 0 ? UV_READABLE : ready);
  });
}

void Poll::stop() {
  if (handle_) uv_poll_stop(&handle_->poll);
}

void Poll::close() {
  if (!handle_) return;
  Handle* handle = std::exchange(handle_, nullptr);
  list_->remove(this);
  handle->owner = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle->poll), [](uv_handle_t* closed) {
    auto* done = static_cast<Handle*>(closed->data);
    done->list->closed();
    delete done;
  });
}

void Poll::ref() {
  if (handle_) uv_ref(reinterpret_cast<uv_handle_t*>(&handle_->poll));
}

void Poll::unref() {
  if (handle_) uv_unref(reinterpret_cast<uv_handle_t*>(&handle_->poll));
}

bool can_run_javascript(Napi::Env env) {
  napi_value global = nullptr;
  bool has = false;
  return napi_get_global(env, &global) == napi_ok &&
         napi_has_named_property(env, global, "globalThis", &has) == napi_ok;
}

void call_back(Napi::Env env, const Napi::FunctionReference& function,
               std::initializer_list<napi_value> arguments) {
  if (function.IsEmpty()) return;
  // The plain interface: the wrapper takes an environment that is ending for a bug of ours.
  napi_value global = nullptr;
  if (napi_get_global(env, &global) != napi_ok) return;
  const napi_status done = napi_make_callback(env, nullptr, global, function.Value(), arguments.size(),
                                              arguments.begin(), nullptr);
  bool is_pending = false;
  if (done == napi_ok || napi_is_exception_pending(env, &is_pending) != napi_ok || !is_pending) return;
  napi_value exception = nullptr;
  if (napi_get_and_clear_last_exception(env, &exception) == napi_ok) napi_fatal_exception(env, exception);
}

}  // namespace nsbox::addon
