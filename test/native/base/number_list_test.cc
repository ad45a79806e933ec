#include "core/base/number_list.h"

#include "support/workspace.h"

using namespace nsbox;
using namespace nsbox::test;

namespace {

// The numbers, one by one: "0,1,4".
std::string numbers(std::string_view text) {
  auto set = parse_number_list(text);
  if (!set) return told(set);
  std::string out;
  for (size_t i = 0; i < set->size(); i++)
    if (set->has(i)) out += (out.empty() ? "" : ",") + std::to_string(i);
  return out;
}

}  // namespace

TEST("number list: reads numbers, ranges and groups") {
  EXPECT_EQ(numbers("0"), "0");
  EXPECT_EQ(numbers("0-3,7"), "0,1,2,3,7");
  EXPECT_EQ(numbers("7,0-1,1"), "0,1,7");
  EXPECT_EQ(numbers(" 0 - 1 , 64 "), "0,1,64");
  EXPECT_EQ(numbers("0-9:2/4"), "0,1,4,5,8,9");
  EXPECT_EQ(numbers("8191"), "8191");
  EXPECT_EQ(numbers(""), "");
  EXPECT_EQ(numbers("  "), "");
}

TEST("number list: refuses what the kernel would") {
  for (const char* bad : {",", "0,", ",0", "a", "0-", "-1", "0--1", "0x1", "1 2", "0-3:1", "0-3:0/2",
                          "0-3:3/2", "0-3:1/0", "3:1/2", "0-3:/", "18446744073709551616"})
    EXPECT(numbers(bad).starts_with("expected a list such as 0-3,7"));
  EXPECT_EQ(numbers("3-1"), "the range 3-1 runs backwards");
  EXPECT_EQ(numbers("0-8192"), "8192 is more than any machine has");
  EXPECT(numbers(std::string(40000, ' ') + "1").find("too long") != std::string::npos);
}
