#include "core/base/string.h"

#include <climits>
#include <cstdint>
#include <cstring>

#include "test.h"

using namespace nsbox;

TEST("string: an empty one is a text of no length with its NUL") {
  const String empty;
  EXPECT(empty.empty());
  EXPECT_EQ(std::strlen(empty.c_str()), size_t{0});
  EXPECT_EQ(empty.view(), std::string_view());
}

TEST("string: grows, and always ends in a NUL") {
  String text;
  for (size_t i = 0; i < 1000; i++) {
    text.append('x');
    EXPECT_EQ(std::strlen(text.c_str()), i + 1);
  }
}

TEST("string: may be appended to itself, also when that makes it grow") {
  String text("0123456789");
  for (int i = 0; i < 5; i++) text.append(text.view().substr(1));
  std::string same = "0123456789";
  for (int i = 0; i < 5; i++) same += same.substr(1);
  EXPECT_EQ(text.view(), std::string_view(same));
}

TEST("string: a copy is another's, a moved one is empty") {
  String first("one");
  String copy = first;
  copy.append("!");
  String moved = std::move(first);
  EXPECT_EQ(moved.view(), std::string_view("one"));
  EXPECT_EQ(copy.view(), std::string_view("one!"));
  EXPECT(first.empty());  // NOLINT: what is left behind is promised to be empty.
  moved = moved;
  EXPECT_EQ(moved.view(), std::string_view("one"));
}

TEST("string: truncate shortens and never lengthens") {
  String text("abc");
  text.truncate(9);
  EXPECT_EQ(text.view(), std::string_view("abc"));
  text.truncate(1);
  EXPECT_EQ(std::string_view(text.c_str()), std::string_view("a"));
  text.truncate(0);
  EXPECT(text.empty());
  String().truncate(0);
}

TEST("string: keeps a NUL inside") {
  String text(std::string_view("a\0b", 3));
  EXPECT_EQ(text.size(), size_t{3});
}

TEST("format: numbers of every kind and their extremes") {
  EXPECT_EQ(format("/proc/", 12, '/', "fd").view(), std::string_view("/proc/12/fd"));
  EXPECT_EQ(format(INT64_MIN).view(), std::string_view("-9223372036854775808"));
  EXPECT_EQ(format(UINT64_MAX).view(), std::string_view("18446744073709551615"));
  EXPECT_EQ(format(0, 'c', int8_t{-1}).view(), std::string_view("0c-1"));
  EXPECT_EQ(format(Octal{0}, " ", Octal{0755}, " ", Octal{UINT_MAX}).view(),
            std::string_view("0 755 37777777777"));
}
