#include "core/base/json.h"

#include "test.h"

using namespace nsbox;

namespace {

bool reads(std::string_view text) {
  Arena arena;
  return static_cast<bool>(json::parse(text, arena));
}

}  // namespace

TEST("json: reads every kind of value") {
  Arena arena;
  auto doc = json::parse(R"( {"a":[1,-2,true,null,"x\u00e9\ud83d\ude00\n"],"b":{"c":18446744073709551615}} )",
                         arena);
  EXPECT(static_cast<bool>(doc));
  if (!doc) return;
  const auto items = doc->find("a")->items();
  int64_t number = 0;
  EXPECT(items[1].as_int64(number) && number == -2);
  EXPECT_EQ(items[4].string(), std::string_view("x\xC3\xA9\xF0\x9F\x98\x80\n"));
  uint64_t large = 0;
  EXPECT(doc->find("b")->find("c")->as_uint64(large) && large == UINT64_MAX);
  EXPECT(!doc->find("b")->find("c")->as_int64(number));
}

TEST("json: the last of two members of one name counts") {
  Arena arena;
  auto doc = json::parse(R"({"a":1,"a":2})", arena);
  int64_t number = 0;
  EXPECT(doc && doc->find("a")->as_int64(number) && number == 2);
}

TEST("json: refuses what RFC 8259 does not allow") {
  for (const char* bad : {"",
                          "{",
                          "[1,]",
                          "{\"a\":1,}",
                          "01",
                          "1.",
                          "1e",
                          "+1",
                          "nul",
                          "\"\\x\"",
                          "\"\\ud800\"",
                          "\"a\nb\"",
                          "\"\xC0\x80\"",
                          "\"\xED\xA0\x80\"",
                          "\"\xF5\x80\x80\x80\"",
                          "1 2",
                          "{}{}",
                          "{a:1}",
                          "\"abc",
                          "[1 2]",
                          "\"\\u12\"",
                          "-",
                          "\x00"})
    EXPECT(!reads(bad));
}

TEST("json: a fraction is a number but no integer") {
  Arena arena;
  int64_t number = 0;
  for (const char* text : {"1.5", "1e3", "1.0", "99999999999999999999999"}) {
    auto doc = json::parse(text, arena);
    EXPECT(doc && doc->is(json::Kind::kNumber) && !doc->as_int64(number));
  }
}

TEST("json: depth is limited") {
  String deep, fine;
  for (int i = 0; i < 100000; i++) deep.append('[');
  for (int i = 0; i < 60; i++) fine.append('[');
  for (int i = 0; i < 60; i++) fine.append(']');
  EXPECT(!reads(deep));
  EXPECT(reads(fine));
}

TEST("json: what the writer writes the reader reads") {
  json::Writer writer;
  writer.begin_object().key("name").string("a\"\\\n\x01\xFF").key("n").number(-5).key("l").begin_array();
  writer.boolean(true).null().unsigned_number(7).end_array().end_object();
  Arena arena;
  auto doc = json::parse(writer.view(), arena);
  EXPECT(doc && doc->find("name")->string() == "a\"\\\n\x01\xEF\xBF\xBD");
  EXPECT(doc && doc->find("l")->items().size() == 3);
}
