#include "addon/janitor.h"

#include <napi.h>

#include <string>

#include "addon/convert.h"
#include "addon/env_fd.h"
#include "addon/exports.h"
#include "addon/spawn.h"
#include "core/process/channel.h"

namespace nsbox::addon {

Status send_charge(int janitor, const JanitorCharge& charge, std::string_view name, int directory) {
  const std::string_view parts[] = {{reinterpret_cast<const char*>(&charge), sizeof charge}, name};
  auto sent = send_message(janitor, parts, {&directory, 1});
  if (!sent) return sent.error().while_doing("charge the janitor");
  return Ok{};
}

namespace {

// startJanitor(runtime): the descriptor of its channel; it works when that is closed.
Napi::Value start_janitor(const Napi::CallbackInfo& info) {
  auto pair = make_channel();
  if (!pair) return throw_js(info.Env(), pair.error());
  auto child = spawn_runtime(
      {.program = int_of(info[0]), .command = "janitor", .channel = pair->theirs.get(), .namespaces = 0});
  if (!child) return throw_js(info.Env(), child.error());
  close_with_environment(info.Env(), pair->ours.get());
  return Napi::Number::New(info.Env(), pair->ours.release());
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
