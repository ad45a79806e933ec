#include <napi.h>

#include <memory>
#include <string>
#include <thread>

#include "addon/convert.h"
#include "addon/exports.h"
#include "addon/layer_pipeline.h"
#include "addon/pool.h"
#include "core/layer/unpack.h"

namespace nsbox::addon {
namespace {

struct Request {
  int source = -1;
  int target = -1;
  UnpackAs as = UnpackAs::kRoot;
  TarLimits limits;
};

struct Outcome {
  std::string digest, diff_id;
  uint64_t compressed = 0;
  Unpacked unpacked;
};

std::string digest_of(Sha256& hash) { return std::string(hash.finish_digest().view()); }

// Hashes the tar beside the thread that writes it out; what goes wrong the other threads tell.
void hash_all(PieceRing& ring, Sha256& hash) {
  RingReader pieces(ring, 1);
  for (;;) {
    auto piece = pieces.next();
    if (!piece || piece->empty()) return;
    hash.add(*piece);
  }
}

// Three threads: one reads, hashes and inflates what is compressed, one hashes what comes out, and this one,
// of libuv's pool, writes it.
Result<Outcome> unpack(const Request& request) {
  const auto file = std::make_unique<HashedFile>(request.source);
  const auto stream = std::make_unique<LayerStream>(*file);
  const auto ring = std::make_unique<PieceRing>();
  Sha256 diff_id;
  std::thread inflating([&] { ring->fill(*stream, request.limits.total); });
  std::thread hashing([&] { hash_all(*ring, diff_id); });
  RingReader pieces(*ring, 0);
  auto done = unpack_layer(pieces, request.target, {request.as, request.limits});
  if (!done) ring->give_up();
  inflating.join();
  hashing.join();
  if (!done) return done.error();
  return Outcome{std::string(file->digest().view()), digest_of(diff_id), file->size(), std::move(*done)};
}

Napi::Value to_number(Napi::Env env, uint64_t value) {
  return Napi::Number::New(env, static_cast<double>(value));
}

UnpackAs unpack_as(const Napi::Value& rootless) {
  return rootless.ToBoolean().Value() ? UnpackAs::kUser : UnpackAs::kRoot;
}

Vector<String> texts_of(const Napi::Value& value) {
  Vector<String> out;
  if (!value.IsArray()) return out;
  const Napi::Array list = value.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); i++) out.push_back(String(text_of(list.Get(i))));
  return out;
}

Napi::Array to_js(Napi::Env env, const Vector<String>& texts) {
  const Napi::Array out = Napi::Array::New(env, texts.size());
  for (uint32_t i = 0; i < texts.size(); i++) out.Set(i, nsbox::addon::to_js(env, texts[i].view()));
  return out;
}

void read_limit(const Napi::Object& options, const char* name, uint64_t& limit) {
  const Napi::Value value = options.Get(name);
  if (value.IsNumber()) limit = static_cast<uint64_t>(std::max(0.0, value.As<Napi::Number>().DoubleValue()));
}

Request request_of(const Napi::CallbackInfo& info) {
  Request out;
  out.source = int_of(info[0]);
  out.target = int_of(info[1]);
  const Napi::Object options = info[2].As<Napi::Object>();
  out.as = unpack_as(options.Get("rootless"));
  read_limit(options, "maxSize", out.limits.total);
  read_limit(options, "maxEntries", out.limits.entries);
  return out;
}

// unpackLayer(source, target, options): { digest, diffId, compressedSize, size, entries, skipped, implied }
Napi::Value unpack_layer_to(const Napi::CallbackInfo& info) {
  return queue(
      info.Env(), [request = request_of(info)] { return unpack(request); },
      [](Napi::Env env, Outcome& outcome) -> Napi::Value {
        const Napi::Object out = Napi::Object::New(env);
        out.Set("digest", nsbox::addon::to_js(env, std::string_view(outcome.digest)));
        out.Set("diffId", nsbox::addon::to_js(env, std::string_view(outcome.diff_id)));
        out.Set("compressedSize", to_number(env, outcome.compressed));
        out.Set("size", to_number(env, outcome.unpacked.size));
        out.Set("entries", to_number(env, outcome.unpacked.entries));
        out.Set("skipped", to_number(env, outcome.unpacked.skipped));
        out.Set("implied", to_js(env, outcome.unpacked.implied));
        return out;
      });
}

// adoptDirectories(target, lowers, paths, rootless)
Napi::Value adopt(const Napi::CallbackInfo& info) {
  return queue_status(info.Env(),
                      [target = int_of(info[0]), lowers = ints_of(info[1]), paths = texts_of(info[2]),
                       as = unpack_as(info[3])] { return adopt_directories(target, lowers, paths, as); });
}

}  // namespace

void export_layer(Napi::Env env, Napi::Object exports) {
  exports.Set("unpackLayer", Napi::Function::New(env, &unpack_layer_to));
  exports.Set("adoptDirectories", Napi::Function::New(env, &adopt));
}

}  // namespace nsbox::addon
