#include <napi.h>

#include "addon/convert.h"
#include "addon/exports.h"
#include "addon/pool.h"
#include "core/container/probe.h"

namespace nsbox::addon {
namespace {

// probe(): { name: { ok, detail } }, each found out by trying.
Napi::Value probe(const Napi::CallbackInfo& info) {
  return queue(
      info.Env(), []() -> Result<Vector<Probe>> { return run_probes(); },
      [](Napi::Env env, Vector<Probe>& probes) -> Napi::Value {
        const Napi::Object out = Napi::Object::New(env);
        for (const Probe& one : probes) {
          const Napi::Object entry = Napi::Object::New(env);
          entry.Set("ok", Napi::Boolean::New(env, one.ok));
          entry.Set("detail", to_js(env, one.detail.view()));
          out.Set(Napi::String::New(env, one.name.data(), one.name.size()), entry);
        }
        return out;
      });
}

// boundingCapabilities(): this process's, as a bigint.
Napi::Value bounding(const Napi::CallbackInfo& info) {
  auto mask = bounding_capabilities();
  if (!mask) return throw_js(info.Env(), mask.error());
  return Napi::BigInt::New(info.Env(), *mask);
}

}  // namespace

void export_probe(Napi::Env env, Napi::Object exports) {
  exports.Set("probe", Napi::Function::New(env, probe));
  exports.Set("boundingCapabilities", Napi::Function::New(env, bounding));
}

}  // namespace nsbox::addon
