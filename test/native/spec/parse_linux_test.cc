#include "spec/read.h"

using namespace nsbox;
using namespace nsbox::test;

TEST("linux: reads what runtime-spec 1.3 has beside the old fields") {
  Read read(R"({"linux":{"cgroupsPath":"/a/b","mountLabel":"system_u:object_r:x:s0",
    "personality":{"domain":"LINUX32"},
    "memoryPolicy":{"mode":"MPOL_BIND","nodes":"0-1","flags":["MPOL_F_STATIC_NODES"]},
    "timeOffsets":{"boottime":{"secs":-7},"monotonic":{"secs":3,"nanosecs":5}},
    "netDevices":{"eth1":{"name":"eth0"},"dummy0":{}},
    "intelRdt":{"closID":"/","schemata":["L3:0=f"],"l3CacheSchema":"L3:0=ff","memBwSchema":"MB:0=20",
      "enableMonitoring":true,"enableCMT":true,"enableMBM":true},
    "seccomp":{"listenerPath":"/run/s","listenerMetadata":"m"}}})");
  MUST(config, read.config());
  EXPECT(config.cgroups_path == "/a/b" && config.mount_label == "system_u:object_r:x:s0");
  EXPECT(config.personality == 8U);
  EXPECT(config.memory_policy && config.memory_policy->mode == 2 && config.memory_policy->flags == 1U << 15 &&
         config.memory_policy->nodes == "0-1");
  EXPECT(config.time_offsets.size() == 2 && config.time_offsets[0].clock == "monotonic" &&
         config.time_offsets[0].seconds == 3 && config.time_offsets[0].nanoseconds == 5 &&
         config.time_offsets[1].seconds == -7);
  EXPECT(config.net_devices.size() == 2 && config.net_devices[0].host_name == "eth1" &&
         config.net_devices[0].name == "eth0" && config.net_devices[1].name.empty());
  EXPECT(config.intel_rdt && config.intel_rdt->clos_id == "/" && config.intel_rdt->schemata.size() == 1 &&
         config.intel_rdt->enable_monitoring && config.intel_rdt->enable_cmt && config.intel_rdt->enable_mbm);
  EXPECT(config.seccomp_listener_path == "/run/s" && config.seccomp_listener_metadata == "m");
}

TEST("linux: null is the same as absent") {
  Read read(R"({"linux":{"personality":null,"memoryPolicy":null,"timeOffsets":null,"netDevices":null,
    "intelRdt":null,"seccomp":null,"resources":null,"cgroupsPath":null},"hooks":null,"annotations":null})");
  MUST(config, read.config());
  EXPECT(!config.personality && !config.memory_policy && !config.intel_rdt && !config.seccomp &&
         !config.resources);
}

TEST("linux: wrong input names its place") {
  const std::pair<const char*, const char*> cases[] = {
      {R"("personality":{})", "linux.personality.domain: expected LINUX or LINUX32, got "},
      {R"("personality":{"domain":"BSD"})", "linux.personality.domain: expected LINUX or LINUX32, got BSD"},
      {R"("personality":{"domain":"LINUX","flags":["X"]})",
       "linux.personality.flags: the specification defines no flags yet"},
      {R"("memoryPolicy":{"mode":"MPOL_FOO"})", "linux.memoryPolicy.mode: unknown mode MPOL_FOO"},
      {R"("memoryPolicy":{"mode":"MPOL_BIND"})", "linux.memoryPolicy.nodes: MPOL_BIND needs nodes"},
      {R"("memoryPolicy":{"mode":"MPOL_LOCAL","nodes":"0"})",
       "linux.memoryPolicy.nodes: MPOL_LOCAL takes no nodes"},
      {R"("memoryPolicy":{"mode":"MPOL_DEFAULT","flags":["MPOL_F_STATIC_NODES"]})",
       "linux.memoryPolicy.flags: MPOL_DEFAULT takes no flags"},
      {R"("memoryPolicy":{"mode":"MPOL_BIND","nodes":"0","flags":["MPOL_F_X"]})",
       "linux.memoryPolicy.flags: unknown flag MPOL_F_X"},
      {R"("memoryPolicy":{"mode":"MPOL_BIND","nodes":"0","flags":["MPOL_F_STATIC_NODES","MPOL_F_RELATIVE_NODES"]})",
       "linux.memoryPolicy.flags: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other"},
      {R"("memoryPolicy":{"mode":"MPOL_BIND","nodes":"a"})",
       "linux.memoryPolicy.nodes: expected a list such as 0-3,7, got a"},
      {R"("timeOffsets":{"realtime":{}})",
       "linux.timeOffsets.realtime: no clock of a time namespace: expected monotonic or boottime"},
      {R"("timeOffsets":{"boottime":{"nanosecs":1000000000}})",
       "linux.timeOffsets.boottime.nanosecs: expected 0 to 999999999"},
      {R"("timeOffsets":{"boottime":{"secs":0.5}})",
       "linux.timeOffsets.boottime.secs: expected a whole number"},
      {R"("netDevices":{"a/b":{}})", "linux.netDevices.a/b: not the name of a network interface"},
      {R"("netDevices":{"eth0123456789012":{}})",
       "linux.netDevices.eth0123456789012: not the name of a network interface"},
      {R"("netDevices":{"eth0":{"name":"a b"}})",
       "linux.netDevices.eth0.name: not the name of a network interface"},
      {R"("netDevices":{"eth0":[]})", "linux.netDevices.eth0: expected an object, got an array"},
      {R"("netDevices":{"eth0":{},"eth1":{"name":"eth0"}})",
       "linux.netDevices.eth1: two devices would be called eth0"},
      {R"("intelRdt":{"closID":".."})", "linux.intelRdt.closID: expected a name without slashes, or / alone"},
      {R"("intelRdt":{"closID":"a/b"})",
       "linux.intelRdt.closID: expected a name without slashes, or / alone"},
      {R"("intelRdt":{"memBwSchema":"L3:0=1"})",
       "linux.intelRdt.memBwSchema: expected a line that begins with MB:"},
      {R"("intelRdt":{"schemata":["a\nb"]})", "linux.intelRdt.schemata[0]: expected one line"},
      {R"("seccomp":{"listenerMetadata":"m"})", "linux.seccomp.listenerMetadata: needs listenerPath"},
      {R"("seccomp":[])", "linux.seccomp: expected an object, got an array"},
      {R"("cgroupsPath":7)", "linux.cgroupsPath: expected a string, got a number"},
  };
  for (const auto& [fields, message] : cases) EXPECT_EQ(linux_says(fields), message);
}

TEST("linux: reads how a process is scheduled") {
  Read read(R"({"args":["sh"],"cwd":"/","scheduler":{"policy":"SCHED_DEADLINE","flags":["SCHED_FLAG_RECLAIM"],
      "runtime":1,"deadline":2,"period":3},"ioPriority":{"class":"IOPRIO_CLASS_BE","priority":7},
    "execCPUAffinity":{"initial":"0-3,7","final":"1"}})");
  MUST(process, read.process());
  EXPECT(process.scheduler && process.scheduler->policy == 6 && process.scheduler->flags == 2 &&
         process.scheduler->period_ns == 3);
  EXPECT(process.io_priority && process.io_priority->io_class == 2 && process.io_priority->priority == 7);
  EXPECT(process.initial_affinity == "0-3,7" && process.final_affinity == "1");
  const std::pair<const char*, const char*> cases[] = {
      {R"("scheduler":{})", "process.scheduler.policy: unknown policy "},
      {R"("scheduler":{"policy":"SCHED_FOO"})", "process.scheduler.policy: unknown policy SCHED_FOO"},
      {R"("scheduler":{"policy":"SCHED_OTHER","nice":20})", "process.scheduler.nice: expected -20 to 19"},
      {R"("scheduler":{"policy":"SCHED_OTHER","nice":4294967296})",
       "process.scheduler.nice: larger than 32 bits"},
      {R"("scheduler":{"policy":"SCHED_OTHER","priority":1})",
       "process.scheduler.priority: is only for SCHED_FIFO and SCHED_RR"},
      {R"("scheduler":{"policy":"SCHED_FIFO","priority":100})",
       "process.scheduler.priority: expected 0 to 99"},
      {R"("scheduler":{"policy":"SCHED_FIFO","period":1})",
       "process.scheduler.period: is only for SCHED_DEADLINE"},
      {R"("scheduler":{"policy":"SCHED_FIFO","flags":["X"]})", "process.scheduler.flags: unknown flag X"},
      {R"("ioPriority":{})", "process.ioPriority.class: unknown class "},
      {R"("ioPriority":{"class":"IOPRIO_CLASS_RT","priority":8})",
       "process.ioPriority.priority: expected 0 to 7"},
      {R"("execCPUAffinity":{"initial":"3-1"})",
       "process.execCPUAffinity.initial: the range 3-1 runs backwards"},
      {R"("execCPUAffinity":{"final":"x"})",
       "process.execCPUAffinity.final: expected a list such as 0-3,7, got x"},
  };
  for (const auto& [fields, message] : cases) EXPECT_EQ(process_says(fields), message);
}
