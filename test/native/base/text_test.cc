#include "core/base/text.h"

#include "test.h"

using namespace nsbox;

TEST("text: numbers are decimal, whole and without ornament") {
  EXPECT(parse_unsigned("0") == 0U);
  EXPECT(parse_unsigned("007") == 7U);
  EXPECT(parse_unsigned("18446744073709551615") == UINT64_MAX);
  for (const char* bad : {"", " 1", "1 ", "+1", "-1", "0x1", "1e3", "1.0", "18446744073709551616",
                          "99999999999999999999", "1\n", "\xD9\xA1"})
    EXPECT(!parse_unsigned(bad));
  EXPECT(!parse_unsigned(std::string_view("1\0", 2)));
}

TEST("text: an id is from 0 to 4294967294") {
  EXPECT(parse_id("0") == 0U);
  EXPECT(parse_id("4294967294") == 4294967294U);
  for (const char* bad : {"4294967295", "4294967296", "18446744073709551616", "-1", "root", "", "1000 "})
    EXPECT(!parse_id(bad));
}

TEST("text: split keeps empty pieces") {
  EXPECT_EQ(split("a::b:", ':').size(), size_t{4});
  EXPECT_EQ(split("", ':').size(), size_t{1});
  EXPECT_EQ(split("a:b", ':')[1], std::string_view("b"));
}

TEST("text: cut takes pieces off the front until nothing is left") {
  std::string_view rest = "a::b";
  EXPECT_EQ(cut(rest, ':'), std::string_view("a"));
  EXPECT_EQ(cut(rest, ':'), std::string_view(""));
  EXPECT_EQ(cut(rest, ':'), std::string_view("b"));
  EXPECT_EQ(cut(rest, ':'), std::string_view(""));
}

TEST("text: trim takes blanks off both ends, and none inside") {
  EXPECT_EQ(trim(" \t a b\r\n"), std::string_view("a b"));
  EXPECT_EQ(trim(" \n "), std::string_view(""));
  EXPECT_EQ(trim(""), std::string_view(""));
}
