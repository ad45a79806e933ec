#pragma once

#include <napi.h>

// Descriptors that JavaScript holds as plain numbers: a worker that is terminated closes none, so its
// environment does.
namespace nsbox::addon {

void close_with_environment(Napi::Env env, int fd);
// It is closed, or belongs to somebody else now.
void forget(Napi::Env env, int fd);

}  // namespace nsbox::addon
