#pragma once

#include <napi.h>

// The groups of functions that the module exports; lib/native/contract.ts documents each.
namespace nsbox::addon {

void export_box(Napi::Env env, Napi::Object exports);
void export_cgroup(Napi::Env env, Napi::Object exports);
void export_files(Napi::Env env, Napi::Object exports);
void export_janitor(Napi::Env env, Napi::Object exports);
void export_layer(Napi::Env env, Napi::Object exports);
void export_oci(Napi::Env env, Napi::Object exports);
void export_pidfd(Napi::Env env, Napi::Object exports);
void export_pipe(Napi::Env env, Napi::Object exports);
void export_probe(Napi::Env env, Napi::Object exports);
void export_receiver(Napi::Env env, Napi::Object exports);
void export_seccomp(Napi::Env env, Napi::Object exports);

}  // namespace nsbox::addon
