#include "addon/janitor.h"

#include <napi.h>
#include <poll.h>

#include <string>

#include "addon/convert.h"
#include "addon/exports.h"
#include "addon/spawn.h"
#include "core/process/channel.h"
#include "core/sys/syscalls.h"

namespace nsbox::addon {

Status send_charge(int janitor, const JanitorCharge& charge, std::string_view name, int directory) {
  const std::string_view parts[] = {{reinterpret_cast<const char*>(&charge), sizeof charge}, name};
  auto sent = send_message(janitor, parts, {&directory, 1});
  if (!sent) return sent.error().while_doing("charge the janitor");
  return Ok{};
}

namespace {

// One environment's janitor, from this side.
struct Janitor {
  UniqueFd channel;
  Spawned spawned;
  UniqueFd pidfd;

  // The environment ends: it goes to work, and what is left of it itself is taken care of here.
  static void end(void* self) {
    constexpr int kPatienceMs = 5000;
    constexpr int kPidfd = 3, kExited = 4, kWaitAll = 0x40000000;  // P_PIDFD, WEXITED, __WALL
    auto* janitor = static_cast<Janitor*>(self);
    janitor->channel.reset();
    sys::Pollfd exited = {janitor->pidfd.get(), POLLIN, 0};
    auto ready = sys::poll(&exited, 1, kPatienceMs);
    const bool is_gone = ready && *ready == 1;
    if (is_gone) (void)sys::waitid(kPidfd, janitor->pidfd.get(), nullptr, kExited | kWaitAll, nullptr);
    // One that still works is on its own, and so is its memory.
    if (is_gone) delete janitor;
  }
};

// startJanitor(runtime): the descriptor of its channel; it works when that is closed, with the environment.
Napi::Value start_janitor(const Napi::CallbackInfo& info) {
  auto pair = make_channel();
  if (!pair) return throw_js(info.Env(), pair.error());
  auto child = spawn_runtime(
      {.program = int_of(info[0]), .command = "janitor", .channel = pair->theirs.get(), .namespaces = 0});
  if (!child) return throw_js(info.Env(), child.error());
  UniqueFd pidfd = child->take_pidfd();
  auto* janitor = new Janitor{std::move(pair->ours), std::move(*child), std::move(pidfd)};
  napi_add_env_cleanup_hook(info.Env(), &Janitor::end, janitor);
  return Napi::Number::New(info.Env(), janitor->channel.get());
}

// chargeJanitor(channel, name, directory): a tree of files.
Napi::Value charge_janitor(const Napi::CallbackInfo& info) {
  auto sent = send_charge(int_of(info[0]), JanitorCharge{}, text_of(info[1]), int_of(info[2]));
  if (!sent) return throw_js(info.Env(), sent.error());
  return info.Env().Undefined();
}

}  // namespace

void export_janitor(Napi::Env env, Napi::Object exports) {
  exports.Set("startJanitor", Napi::Function::New(env, start_janitor));
  exports.Set("chargeJanitor", Napi::Function::New(env, charge_janitor));
}

}  // namespace nsbox::addon
