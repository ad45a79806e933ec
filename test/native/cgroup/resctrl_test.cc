#include "core/cgroup/resctrl.h"

#include <unistd.h>

#include "support/workspace.h"

using namespace nsbox;
using namespace nsbox::test;

TEST("resctrl: puts the lines together as the specification orders them") {
  cgroup::IntelRdt rdt;
  EXPECT_EQ(cgroup::schemata_of(rdt).view(), "");
  rdt.l3_cache_schema = "L3:0=7f0;1=1f\nMB:0=10";
  EXPECT_EQ(cgroup::schemata_of(rdt).view(), "L3:0=7f0;1=1f\nMB:0=10\n");
  rdt.mem_bw_schema = "MB:0=20;1=70";
  EXPECT_EQ(cgroup::schemata_of(rdt).view(), "L3:0=7f0;1=1f\nMB:0=20;1=70\n");
  rdt.schemata = {"L2:0=1"};
  EXPECT_EQ(cgroup::schemata_of(rdt).view(), "L3:0=7f0;1=1f\nMB:0=20;1=70\nL2:0=1\n");
}

TEST("resctrl: compares a class with what is wanted, value by value") {
  const char* present = "    MB:0=100;1= 70\n    L3:0=007ff;1=00001f\n";
  for (const char* same : {"L3:0=7ff;1=1f\n", "L3:1=1F\n", "MB:1=70\nL3:0=7ff\n", ""})
    EXPECT(cgroup::schemata_agree(present, same));
  for (const char* other : {"L3:0=7fe\n", "L3:2=1\n", "L2:0=1\n", "MB:0=10\n"})
    EXPECT(!cgroup::schemata_agree(present, other));
}

TEST("resctrl: a machine without it says so") {
  if (access("/sys/fs/resctrl/schemata", F_OK) == 0) return skip_on_this_machine("this machine has resctrl");
  EXPECT_EQ(told(cgroup::apply_intel_rdt({}, "box", getpid())),
            "linux.intelRdt: there is no resctrl on this machine (nothing at /sys/fs/resctrl)");
  EXPECT_EQ(told(cgroup::remove_intel_rdt({}, "box")), "ok");
}
