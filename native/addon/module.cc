#include <napi.h>

#include "addon/exports.h"

namespace nsbox::addon {
namespace {

Napi::Object init(Napi::Env env, Napi::Object exports) {
  export_box(env, exports);
  export_cgroup(env, exports);
  export_files(env, exports);
  export_janitor(env, exports);
  export_layer(env, exports);
  export_oci(env, exports);
  export_pidfd(env, exports);
  export_pipe(env, exports);
  export_probe(env, exports);
  export_receiver(env, exports);
  export_seccomp(env, exports);
  return exports;
}

}  // namespace
}  // namespace nsbox::addon

static Napi::Object init_module(Napi::Env env, Napi::Object exports) {
  return nsbox::addon::init(env, exports);
}
NODE_API_MODULE(nsbox, init_module)
