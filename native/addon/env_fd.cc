#include "addon/env_fd.h"

#include <cstdint>

#include "core/sys/syscalls.h"

namespace nsbox::addon {
namespace {

void* as_argument(int fd) { return reinterpret_cast<void*>(static_cast<intptr_t>(fd)); }

void close_argument(void* argument) {
  (void)sys::close(static_cast<int>(reinterpret_cast<intptr_t>(argument)));
}

}  // namespace

void close_with_environment(Napi::Env env, int fd) {
  napi_add_env_cleanup_hook(env, &close_argument, as_argument(fd));
}

void forget(Napi::Env env, int fd) { napi_remove_env_cleanup_hook(env, &close_argument, as_argument(fd)); }

}  // namespace nsbox::addon
