#pragma once

#include <napi.h>

#include <optional>
#include <utility>

#include "addon/convert.h"
#include "addon/poll.h"

namespace nsbox::addon {

// Runs `work` (() -> Result<T>) on libuv's pool and settles a promise with `done` (Napi::Env, T&) ->
// Napi::Value. Work has no env in its hands and touches no Napi type; done has.
template <typename Work, typename Done>
class Job : public Napi::AsyncWorker {
  using Outcome = decltype(std::declval<Work>()());

 public:
  Job(Napi::Env env, Work work, Done done)
      : Napi::AsyncWorker(env, "nsbox"),
        deferred_(Napi::Promise::Deferred::New(env)),
        work_(std::move(work)),
        done_(std::move(done)) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

  void Execute() override { outcome_.emplace(work_()); }
  void OnOK() override {
    const Napi::HandleScope scope(Env());
    if (!can_run_javascript(Env())) return;
    if (*outcome_)
      deferred_.Resolve(done_(Env(), **outcome_));
    else
      deferred_.Reject(to_js(Env(), outcome_->error()).Value());
  }

 private:
  Napi::Promise::Deferred deferred_;
  Work work_;
  Done done_;
  std::optional<Outcome> outcome_;
};

template <typename Work, typename Done>
Napi::Value queue(Napi::Env env, Work work, Done done) {
  auto* job = new Job<Work, Done>(env, std::move(work), std::move(done));
  const Napi::Promise promise = job->promise();
  job->Queue();
  return promise;
}

// The same for work without a value.
template <typename Work>
Napi::Value queue_status(Napi::Env env, Work work) {
  return queue(env, std::move(work),
               [](Napi::Env done_env, Ok&) -> Napi::Value { return done_env.Undefined(); });
}

}  // namespace nsbox::addon
