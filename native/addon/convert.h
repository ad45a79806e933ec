#pragma once

#include <napi.h>

#include <string>

#include "core/base/error.h"
#include "core/base/vector.h"

// Arguments in, results out, and the one way in which an error of the core becomes a JavaScript one.
namespace nsbox::addon {

inline Napi::Error to_js(Napi::Env env, const Error& error) {
  const String text = error.message();
  const std::string_view code = error.code();
  Napi::Error js = Napi::Error::New(env, std::string(text.view()));
  js.Set("code", Napi::String::New(env, code.data(), code.size()));
  js.Set("errno", Napi::Number::New(env, -error.err()));  // Negative, as Node's are.
  return js;
}

// Whether JavaScript may run: not when a worker is being terminated, and then nothing can be thrown either.
bool can_run_javascript(Napi::Env env);

inline Napi::Value throw_js(Napi::Env env, const Error& error) {
  if (!can_run_javascript(env)) return env.Undefined();
  to_js(env, error).ThrowAsJavaScriptException();
  return env.Undefined();
}

inline Napi::String to_js(Napi::Env env, std::string_view text) {
  return Napi::String::New(env, text.data(), text.size());
}

inline std::string text_of(const Napi::Value& value) {
  return value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
}
inline int int_of(const Napi::Value& value, int otherwise = -1) {
  return value.IsNumber() ? value.As<Napi::Number>().Int32Value() : otherwise;
}
inline uint32_t unsigned_of(const Napi::Value& value) {
  return value.IsNumber() ? value.As<Napi::Number>().Uint32Value() : 0;
}

inline Vector<int> ints_of(const Napi::Value& value) {
  Vector<int> out;
  if (!value.IsArray()) return out;
  const Napi::Array list = value.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); i++) out.push_back(int_of(list.Get(i)));
  return out;
}

}  // namespace nsbox::addon
