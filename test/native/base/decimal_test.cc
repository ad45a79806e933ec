#include "core/base/decimal.h"

#include "core/base/duration.h"
#include "test.h"

using namespace nsbox;

TEST("decimal: sizes count by 1024, in either case") {
  EXPECT(parse_size("67108864") == 67108864U);
  EXPECT(parse_size("0") == 0U);
  EXPECT(parse_size("512b") == 512U);
  EXPECT(parse_size("32768k") == uint64_t{32} << 20);
  EXPECT(parse_size("100MB") == uint64_t{100} << 20);
  EXPECT(parse_size("20MiB") == uint64_t{20} << 20);
  EXPECT(parse_size("1 g") == uint64_t{1} << 30);
  EXPECT(parse_size("2t") == uint64_t{2} << 40);
  EXPECT(parse_size("1P") == uint64_t{1} << 50);
}

TEST("decimal: a size may have a fraction, which is exact") {
  EXPECT(parse_size("0.5G") == uint64_t{512} << 20);
  EXPECT(parse_size("1.25GiB") == uint64_t{1280} << 20);
  EXPECT(parse_size("1.5") == 1U);
  EXPECT(parse_size("1.k") == 1024U);
  EXPECT(parse_size("0.0009765625m") == 1023U);  // Nine digits count.
}

TEST("decimal: what is no size is none") {
  for (const char* bad : {"", "foo", "-5k", "-1", "+1", "1.2.3", "99999999999999999999", "k", ".", "1kk",
                          "1ki b", "1x", " 1", "1  k", "9223372036854775808", "8192p", "1e3", "0x10", "1\n"})
    EXPECT(!parse_size(bad));
  EXPECT(parse_size("9223372036854775807") == uint64_t{INT64_MAX});
}

TEST("duration: as Go writes them") {
  const auto is = [](const char* text, uint64_t nanoseconds) {
    auto got = parse_duration(text);
    return got && *got == nanoseconds;
  };
  EXPECT(is("5s", 5'000'000'000));
  EXPECT(is("100ms", 100'000'000));
  EXPECT(is("1m30s", 90'000'000'000));
  EXPECT(is("1.5h", 5'400'000'000'000));
  EXPECT(is("1h2m3s4ms5us6ns", 3'723'004'005'006));
  EXPECT(is("3\u00b5s", 3'000));
  EXPECT(is(".5s", 500'000'000));
  EXPECT(is("+1s", 1'000'000'000));
  EXPECT(is("0", 0));
  EXPECT(is("0s", 0));
}

TEST("duration: what is none is refused") {
  for (const char* bad : {"", "5", "-1s", "soon", "s", "1x", "1s2", "1..5s", ".s", " 1s", "1s ", "9999999h",
                          "99999999999999999999s", "+", "1 s"})
    EXPECT(!parse_duration(bad));
}
