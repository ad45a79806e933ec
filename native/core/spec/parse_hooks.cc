#include "core/spec/parts.h"

namespace nsbox {

namespace {

Status read_hook(const Reader& object, Vector<Hook>& out) {
  Hook hook;
  TRY(object.read("path", hook.path));
  if (hook.path.empty() || hook.path[0] != '/') return object.refuse("path", "expected an absolute path");
  TRY(object.read("args", hook.args));
  TRY(read_environment(object, hook.env));
  if (object.has("timeout")) {
    uint32_t seconds = 0;
    TRY(object.read("timeout", seconds));
    if (seconds == 0) return object.refuse("timeout", "expected at least 1 second");
    hook.timeout_seconds = seconds;
  }
  out.push_back(std::move(hook));
  return Ok{};
}

// In the order of their moments in a container's life.
constexpr std::string_view kHookNames[] = {"prestart",       "createRuntime", "createContainer",
                                           "startContainer", "poststart",     "poststop"};
constexpr Vector<Hook> Hooks::*kHookLists[] = {&Hooks::prestart,         &Hooks::create_runtime,
                                               &Hooks::create_container, &Hooks::start_container,
                                               &Hooks::poststart,        &Hooks::poststop};

}  // namespace

std::span<const std::string_view> hook_names() { return kHookNames; }

Status read_environment(const Reader& object, Vector<std::string_view>& out) {
  TRY(object.read("env", out));
  for (size_t i = 0; i < out.size(); i++) {
    // The kernel takes any text for an entry; programs take one without a name for nothing, or for an attack.
    const size_t equals = out[i].find('=');
    if (equals == std::string_view::npos || equals == 0)
      return object.refuse(format("env[", i, "]"), "expected NAME=value");
  }
  return Ok{};
}

Status read_hooks(const Reader& hooks, Hooks& out) {
  for (size_t i = 0; i < std::size(kHookNames); i++)
    TRY(hooks.each_object(kHookNames[i],
                          [&](const Reader& hook) { return read_hook(hook, out.*kHookLists[i]); }));
  return Ok{};
}

Status read_annotations(const Reader& texts, Vector<Annotation>& out) {
  for (const json::Member& member : texts.value().members()) {
    Annotation one;
    one.name = member.name;
    if (one.name.empty()) return texts.refuse("", "an annotation wants a name");
    if (one.name.find('\0') != std::string_view::npos)
      return texts.refuse(one.name, "a NUL character in the name");
    TRY(texts.read(member, one.value));
    out.push_back(one);
  }
  return Ok{};
}

}  // namespace nsbox
