#include "core/cgroup/further_stats.h"

#include "test.h"

using namespace nsbox;

TEST("cgroup stats: pressure is read as the kernel writes it") {
  const auto pressure = cgroup::parse_pressure(
      "some avg10=0.12 avg60=1.00 avg300=99.99 total=1234\nfull avg10=0.00 avg60=0.50 avg300=0.01 total=5\n");
  EXPECT(pressure.has_value());
  if (!pressure) return;
  EXPECT_EQ(pressure->some.avg10.view(), std::string_view("0.12"));
  EXPECT_EQ(pressure->some.avg300.view(), std::string_view("99.99"));
  EXPECT_EQ(pressure->some.total_us, uint64_t{1234});
  EXPECT_EQ(pressure->full.avg60.view(), std::string_view("0.50"));
  EXPECT_EQ(pressure->full.total_us, uint64_t{5});
}

TEST("cgroup stats: an older kernel has no full pressure of processors") {
  const auto pressure = cgroup::parse_pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=7\n");
  EXPECT(pressure && pressure->some.total_us == 7 && pressure->full.total_us == 0);
}

TEST("cgroup stats: what is no pressure is none") {
  for (const char* bad : {"", "full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n", "some avg10=0.00 total=7\n",
                          "some avg60=0.00 avg10=0.00 avg300=0.00 total=7\n",
                          "some avg10=0.00 avg60=0.00 avg300=0.00 total=x\n"})
    EXPECT(!cgroup::parse_pressure(bad));
}
