#include "core/base/table.h"

#include "test.h"

using namespace nsbox;

TEST("table: columns are at least 12 wide, and the last has no blanks behind it") {
  constexpr std::string_view kNames[] = {"ID", "PID", "OWNER"};
  EXPECT_EQ(Table(kNames).text().view(), std::string_view("ID          PID         OWNER\n"));
}

TEST("table: a long cell widens its column for all, three blanks behind it") {
  constexpr std::string_view kNames[] = {"ID", "PID"};
  constexpr std::string_view kCells[] = {"0123456789ab", "1"};
  Table table(kNames);
  table.add(kCells);
  EXPECT_EQ(table.text().view(), std::string_view("ID             PID\n0123456789ab   1\n"));
}

TEST("table: characters count, not bytes") {
  constexpr std::string_view kNames[] = {"ID", "PID"};
  constexpr std::string_view kCells[] = {"\u00e4\u00f6\u00fc", "1"};
  Table table(kNames);
  table.add(kCells);
  EXPECT_EQ(table.text().view(), std::string_view("ID          PID\n\u00e4\u00f6\u00fc         1\n"));
}
