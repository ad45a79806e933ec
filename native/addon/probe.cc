#include "core/container/probe.h"

#include <napi.h>

#include "addon/convert.h"
#include "addon/exports.h"
#include "addon/pool.h"
#include "core/sys/syscalls.h"

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

// directoryHoldsUserMarks(path): the same of the file system that a directory of ours is on.
Napi::Value directory_holds_user_marks(const Napi::CallbackInfo& info) {
  auto dir = sys::open(text_of(info[0]).c_str(), O_RDONLY | O_DIRECTORY);
  const bool holds = dir && sys::fsetxattr(dir->get(), "user.nsbox", "y", 1, 0);
  if (holds) (void)sys::fremovexattr(dir->get(), "user.nsbox");
  return Napi::Boolean::New(info.Env(), holds);
}

// boundingCapabilities(): this process's, as a bigint.
Napi::Value bounding(const Napi::CallbackInfo& info) {
  auto mask = bounding_capabilities();
  if (!mask) return throw_js(info.Env(), mask.error());
  return Napi::BigInt::New(info.Env(), *mask);
}

// tmpfsHoldsUserMarks(): whether a tmpfs keeps "user." attributes (Linux 6.6), as an ordinary user's overlay
// needs.
Napi::Value tmpfs_holds_user_marks(const Napi::CallbackInfo& info) {
  auto file = sys::memfd_create("nsbox-probe", 0);
  const bool holds = file && sys::fsetxattr(file->get(), "user.nsbox", "y", 1, 0);
  return Napi::Boolean::New(info.Env(), holds);
}

}  // namespace

void export_probe(Napi::Env env, Napi::Object exports) {
  exports.Set("probe", Napi::Function::New(env, probe));
  exports.Set("directoryHoldsUserMarks", Napi::Function::New(env, directory_holds_user_marks));
  exports.Set("tmpfsHoldsUserMarks", Napi::Function::New(env, tmpfs_holds_user_marks));
  exports.Set("boundingCapabilities", Napi::Function::New(env, bounding));
}

}  // namespace nsbox::addon
