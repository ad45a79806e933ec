// The JSON reader takes any bytes; what it accepts, written again, is read as the same document.
#include <cstdint>
#include <cstdlib>

#include "core/base/json.h"
#include "json_words.h"
#include "target.h"

using namespace nsbox;

namespace {

void write(json::Writer& out, const json::Value& value) {
  int64_t number = 0;
  uint64_t large = 0;
  switch (value.kind()) {
    case json::Kind::kNull:
      out.null();
      break;
    case json::Kind::kBoolean:
      out.boolean(value.boolean());
      break;
    case json::Kind::kNumber:
      if (value.as_int64(number))
        out.number(number);
      else if (value.as_uint64(large))
        out.unsigned_number(large);
      else
        out.null();
      break;
    case json::Kind::kString:
      out.string(value.string());
      break;
    case json::Kind::kArray:
      out.begin_array();
      for (const json::Value& item : value.items()) write(out, item);
      out.end_array();
      break;
    case json::Kind::kObject:
      out.begin_object();
      for (const json::Member& member : value.members()) {
        out.key(member.name);
        write(out, member.value);
      }
      out.end_object();
      break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Arena arena;
  auto document = json::parse({reinterpret_cast<const char*>(data), size}, arena);
  if (!document) return 0;
  json::Writer first, second;
  write(first, *document);
  auto again = json::parse(first.view(), arena);
  if (!again) std::abort();
  write(second, *again);
  if (first.view() != second.view()) std::abort();
  return 0;
}

namespace nsbox::fuzz {

std::vector<std::string> seeds() {
  return {R"({"a":[1,-2,true,false,null,"x\u00e9\ud83d\ude00\n\\\"/"],"b":{"c":18446744073709551615,"":{}}})",
          "[0,-0,1.5,1e10,1E-3,-9223372036854775808,99999999999999999999]",
          R"(" plain  \t")",
          " {} ",
          "[[[[[[[[[[[[]]]]]]]]]]]]",
          "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\""};
}

std::vector<std::string> words() {
  return json_words({"\\u0000", "\\ud83d", "\\ude00", "\\", "\\\"", "true", "false", "-", "0", "1e", ".5",
                     "\xED\xA0\x80", "\xC0\x80", "\xF4\x90\x80\x80", "\xEF\xBF\xBD", "18446744073709551616",
                     "[[[[[[[[[[[[[[[[", "{\"a\":"});
}

}  // namespace nsbox::fuzz
