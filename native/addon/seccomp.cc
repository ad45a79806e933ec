#include "core/security/seccomp.h"

#include <napi.h>

#include "addon/convert.h"
#include "addon/exports.h"
#include "core/base/json.h"
#include "core/security/default_profile.h"

namespace nsbox::addon {
namespace {

Napi::Value to_buffer(Napi::Env env, const Vector<sock_filter>& program) {
  return Napi::Buffer<char>::Copy(env, reinterpret_cast<const char*>(program.data()),
                                  program.size() * sizeof(sock_filter));
}

// compileSeccomp(json): the filter of an OCI linux.seccomp object.
Napi::Value compile(const Napi::CallbackInfo& info) {
  const std::string text = text_of(info[0]);
  Arena arena;
  auto document = json::parse(text, arena);
  if (!document) return throw_js(info.Env(), document.error());
  auto profile = parse_seccomp(*document, arena);
  if (!profile) return throw_js(info.Env(), profile.error());
  auto program = compile_seccomp(*profile);
  if (!program) return throw_js(info.Env(), program.error());
  return to_buffer(info.Env(), *program);
}

uint64_t capabilities_of(const Napi::Value& value) {
  return value.IsBigInt() ? [&] {
    bool lossless = false;
    return value.As<Napi::BigInt>().Uint64Value(&lossless);
  }()
                          : 0;
}

// defaultSeccomp(capabilities): the filter of the default profile for a container with these capabilities.
Napi::Value compile_default(const Napi::CallbackInfo& info) {
  auto program = compile_seccomp(default_seccomp_profile({.capabilities = capabilities_of(info[0])}));
  if (!program) return throw_js(info.Env(), program.error());
  return to_buffer(info.Env(), *program);
}

// defaultSeccompProfile(capabilities): the profile itself, as the JSON of a linux.seccomp object.
Napi::Value write_default(const Napi::CallbackInfo& info) {
  return to_js(info.Env(),
               profile_to_json(default_seccomp_profile({.capabilities = capabilities_of(info[0])})).view());
}

}  // namespace

void export_seccomp(Napi::Env env, Napi::Object exports) {
  exports.Set("compileSeccomp", Napi::Function::New(env, compile));
  exports.Set("defaultSeccomp", Napi::Function::New(env, compile_default));
  exports.Set("defaultSeccompProfile", Napi::Function::New(env, write_default));
}

}  // namespace nsbox::addon
