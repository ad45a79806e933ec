#include "core/spec/parse.h"

#include <climits>

#include "core/spec/resources.h"
#include "spec/read.h"

using namespace nsbox;
using namespace nsbox::test;

namespace {

std::string resources_say(const std::string& fields) {
  return told(parse_resources(Read("{" + fields + "}").document));
}

}  // namespace

TEST("spec: reads a configuration") {
  Read read(R"({"root":{"path":"/r","readonly":true},"hostname":"h","domainname":"d","unknown":[1,{}],
    "process":{"args":["sh","-c","x"],"cwd":"/w","env":["A=1"],"terminal":true,"consoleSize":{"height":24,"width":80},
      "user":{"uid":1,"gid":2,"additionalGids":[3,4],"umask":18},"noNewPrivileges":true,"oomScoreAdj":-5,
      "capabilities":{"bounding":["CAP_KILL"],"ambient":["CAP_CHOWN"]},
      "rlimits":[{"type":"RLIMIT_NOFILE","soft":10,"hard":20}],"apparmorProfile":"p","selinuxLabel":"l"},
    "mounts":[{"destination":"/m","type":"tmpfs","source":"t","options":["nosuid","size=1k"]},
              {"destination":"/b","source":"/s","options":["rbind","ro"]}],
    "linux":{"namespaces":[{"type":"pid"},{"type":"network","path":"/n"},{"type":"user"}],
      "uidMappings":[{"containerID":0,"hostID":1000,"size":1}],"rootfsPropagation":"slave",
      "devices":[{"path":"/dev/x","type":"c","major":1,"minor":3,"fileMode":438,"uid":5,"gid":6}],
      "maskedPaths":["/a"],"readonlyPaths":["/b","/c"],"sysctl":{"net.ipv4.ip_forward":"1"},
      "resources":{},"seccomp":{}}})");
  MUST(config, read.config());
  EXPECT(config.root_path == "/r" && config.root_readonly && config.hostname == "h" &&
         config.domainname == "d");
  EXPECT(config.process.has_value());
  const ProcessSpec& process = *config.process;
  EXPECT(process.args.size() == 3 && process.cwd == "/w" && process.env[0] == "A=1" && process.terminal);
  EXPECT(process.rows == 24 && process.columns == 80);
  EXPECT(process.user == 1 && process.group == 2 && process.additional_groups.size() == 2 &&
         process.umask == 18U);
  EXPECT(process.no_new_privileges && process.oom_score_adj == -5);
  EXPECT(process.capabilities.bounding == 1U << 5 && process.capabilities.ambient == 1U);
  EXPECT(process.capabilities.effective == 0);
  EXPECT(process.rlimits.size() == 1 && process.rlimits[0].soft == 10 && process.rlimits[0].hard == 20);
  EXPECT(config.mounts.size() == 2 && config.mounts[0].data.size() == 1 && config.mounts[1].bind_recursive);
  EXPECT(config.namespaces.size() == 3 && config.namespaces[1].path == "/n");
  EXPECT(config.user_mappings.size() == 1 && config.user_mappings[0].host == 1000);
  EXPECT(config.devices.size() == 1 && config.devices[0].mode == 0666 && config.devices[0].group == 6);
  EXPECT(config.readonly_paths.size() == 2 && config.sysctls.size() == 1 &&
         config.rootfs_propagation == 1 << 19);
  EXPECT(config.resources && config.seccomp);
}

TEST("spec: a capability that we do not know is nobody's, and remembered once") {
  Read read(R"({"args":["sh"],"cwd":"/","capabilities":{"bounding":["CAP_FLY","CAP_KILL"],
    "effective":["CAP_FLY","cap_kill"]}})");
  MUST(process, read.process());
  EXPECT(process.capabilities.bounding == 1U << 5 && process.capabilities.effective == 0);
  EXPECT(process.unknown_capabilities.size() == 2 && process.unknown_capabilities[0] == "CAP_FLY" &&
         process.unknown_capabilities[1] == "cap_kill");
}

TEST("spec: null is the same as absent") {
  EXPECT_EQ(config_says(R"({"process":null,"root":null,"mounts":null,"hostname":null,
    "linux":{"namespaces":null,"maskedPaths":null,"sysctl":null,"devices":null}})"),
            "ok");
  Read read(
      R"({"args":["sh"],"cwd":"/","user":{"umask":null},"oomScoreAdj":null,"env":null,"rlimits":null})");
  MUST(process, read.process());
  EXPECT(!process.umask && !process.oom_score_adj);
  Read limits(
      R"({"memory":{"limit":null,"swappiness":null},"cpu":{"shares":null,"quota":null},"pids":{"limit":null}})");
  MUST(read_limits, parse_resources(limits.document));
  EXPECT(!read_limits.memory.limit && !read_limits.memory.swappiness && !read_limits.cpu.shares &&
         !read_limits.pids);
}

TEST("spec: a field of the wrong type names its place and what is there") {
  const std::pair<const char*, const char*> cases[] = {
      {"[]", ": expected an object, got an array"},
      {R"({"hostname":1})", "hostname: expected a string, got a number"},
      {R"({"root":{"path":true}})", "root.path: expected a string, got a boolean"},
      {R"({"root":{"path":"/","readonly":"yes"}})", "root.readonly: expected a boolean, got a string"},
      {R"({"root":"/"})", "root: expected an object, got a string"},
      {R"({"process":[]})", "process: expected an object, got an array"},
      {R"({"mounts":{}})", "mounts: expected an array, got an object"},
      {R"({"mounts":[1]})", "mounts[0]: expected an object, got a number"},
      {R"({"mounts":[{"destination":"/a","type":"tmpfs","options":["ro",2]}]})",
       "mounts[0].options[1]: expected a string, got a number"},
      {R"({"linux":{"namespaces":[{"type":"pid"},{"type":[]}]}})",
       "linux.namespaces[1].type: expected a string, got an array"},
      {R"({"linux":{"maskedPaths":"/proc"}})", "linux.maskedPaths: expected an array, got a string"},
      {R"({"linux":{"sysctl":{"net.x":1}}})", "linux.sysctl.net.x: expected a string, got a number"},
      {R"({"linux":{"uidMappings":[{"containerID":"0"}]}})",
       "linux.uidMappings[0].containerID: expected a number, got a string"},
      {R"({"linux":{"devices":[{"path":"/dev/x","type":"c","major":1}]}})",
       "linux.devices[0].minor: missing"},
      {R"({"linux":{"devices":[{"path":"/dev/x","type":"p"},{"path":"/dev/y","type":"b"}]}})",
       "linux.devices[1].major: missing"},
      {R"({"linux":{"devices":[{"path":"/dev/x","type":"c","major":1.5}]}})",
       "linux.devices[0].major: expected a whole number from 0"},
  };
  for (const auto& [text, message] : cases) EXPECT_EQ(config_says(text), message);
}

TEST("spec: a process's field of the wrong type names its place") {
  const std::pair<const char*, const char*> cases[] = {
      {R"("args":[7])", "process.args[0]: expected a string, got a number"},
      {R"("env":"A=1")", "process.env: expected an array, got a string"},
      {R"("terminal":1)", "process.terminal: expected a boolean, got a number"},
      {R"("user":"root")", "process.user: expected an object, got a string"},
      {R"("user":{"uid":-1})", "process.user.uid: expected a whole number from 0"},
      {R"("user":{"uid":4294967295})", "process.user.uid: expected an id from 0 to 4294967294"},
      {R"("user":{"gid":4294967296})", "process.user.gid: larger than 32 bits"},
      {R"("user":{"additionalGids":[1,4294967295]})",
       "process.user.additionalGids[1]: expected a whole number from 0 to 4294967294"},
      {R"("consoleSize":{"height":65536,"width":1})", "process.consoleSize: larger than a terminal can be"},
      {R"("capabilities":{"bounding":[7]})",
       "process.capabilities.bounding[0]: expected a string, got a number"},
      {R"("rlimits":[{"type":"RLIMIT_FUN"}])", "process.rlimits[0].type: unknown resource limit RLIMIT_FUN"},
      {R"("rlimits":[{"type":"RLIMIT_CPU","soft":2,"hard":1}])",
       "process.rlimits[0].soft: larger than the hard limit"},
      {R"("rlimits":[{"type":"RLIMIT_CPU","soft":1}])", "process.rlimits[0].hard: missing"},
      {R"("rlimits":[{"type":"RLIMIT_CPU","soft":1,"hard":1},{"type":"RLIMIT_CPU","soft":2,"hard":2}])",
       "process.rlimits[1].type: duplicated rlimit RLIMIT_CPU"},
      {R"("env":["A=1","PATH"])", "process.env[1]: expected NAME=value"},
      {R"("env":["=1"])", "process.env[0]: expected NAME=value"},
      {R"("oomScoreAdj":1001)", "process.oomScoreAdj: expected -1000 to 1000"},
      {R"("oomScoreAdj":1e3)", "process.oomScoreAdj: expected a whole number"},
      {R"("args":[])", "process.args: expected at least the program"},
      {R"("cwd":"tmp")", "process.cwd: expected an absolute path"},
      {R"("cwd":"")", "process.cwd: expected an absolute path"},
  };
  for (const auto& [fields, message] : cases) EXPECT_EQ(process_says(fields), message);
}

TEST("spec: no text may hold a NUL, which the kernel would take for its end") {
  EXPECT_EQ(process_says(R"("cwd":"/a\u0000b")"), "process.cwd: a NUL character in it");
  EXPECT_EQ(process_says(R"("args":["sh","a\u0000"])"), "process.args[1]: a NUL character in it");
  EXPECT_EQ(process_says(R"("env":["A=\u0000"])"), "process.env[0]: a NUL character in it");
  EXPECT_EQ(config_says(R"({"mounts":[{"destination":"/a\u0000/../b","type":"tmpfs"}]})"),
            "mounts[0].destination: a NUL character in it");
  EXPECT_EQ(linux_says(R"("maskedPaths":["/\u0000"])"), "linux.maskedPaths[0]: a NUL character in it");
}

TEST("spec: a mount wants a destination, and a type or a source") {
  EXPECT_EQ(config_says(R"({"mounts":[{"type":"tmpfs"}]})"), "mounts[0].destination: expected a path");
  EXPECT_EQ(config_says(R"({"mounts":[{"destination":"/a"}]})"),
            "mounts[0].type: expected a file system type, or a bind option");
  EXPECT_EQ(config_says(R"({"mounts":[{"destination":"/a","type":"bind"}]})"),
            "mounts[0].source: a bind mount wants a source");
}

TEST("spec: namespaces are known, and each stands once") {
  EXPECT_EQ(linux_says(R"("namespaces":[{"type":"net"}])"),
            "linux.namespaces[0].type: unknown namespace net");
  EXPECT_EQ(linux_says(R"("namespaces":[{"type":"pid","path":"proc/1/ns/pid"}])"),
            "linux.namespaces[0].path: expected an absolute path");
  EXPECT_EQ(linux_says(R"("namespaces":[{"type":"pid"},{"type":"pid","path":"/x"}])"),
            "linux.namespaces[1].type: the namespace pid stands twice");
  EXPECT_EQ(linux_says(R"("uidMappings":[{"containerID":0,"hostID":0,"size":0}])"),
            "linux.uidMappings[0].size: expected at least 1");
  EXPECT_EQ(linux_says(R"("rootfsPropagation":"sideways")"),
            "linux.rootfsPropagation: unknown propagation sideways");
}

TEST("spec: devices have a known type and an absolute path") {
  EXPECT_EQ(linux_says(R"("devices":[{"path":"/d","type":"x"}])"),
            "linux.devices[0].type: expected one of c, b, u, p");
  EXPECT_EQ(linux_says(R"("devices":[{"path":"/d","type":""}])"),
            "linux.devices[0].type: expected one of c, b, u, p");
  EXPECT_EQ(linux_says(R"("devices":[{"path":"d","type":"c"}])"),
            "linux.devices[0].path: expected an absolute path");
  EXPECT_EQ(linux_says(R"("devices":[{"path":"","type":"c"}])"),
            "linux.devices[0].path: expected an absolute path");
}

TEST("resources: reads every part") {
  Read read(
      R"({"memory":{"limit":1,"reservation":2,"swap":-1,"kernelTCP":4,"swappiness":5,"disableOOMKiller":true},
    "cpu":{"shares":1024,"quota":-1,"period":100000,"burst":7,"idle":1,"cpus":"0-1","mems":"0"},"pids":{"limit":32},
    "blockIO":{"weight":500,"weightDevice":[{"major":8,"minor":0,"weight":10}],
      "throttleReadBpsDevice":[{"major":8,"minor":0,"rate":1}],"throttleWriteIOPSDevice":[{"major":8,"minor":0,"rate":2}]},
    "hugepageLimits":[{"pageSize":"2MB","limit":9}],"rdma":{"mlx5_1":{"hcaHandles":3}},
    "network":{"classID":1,"priorities":[{"name":"eth0","priority":5}]},"unified":{"memory.high":"1"},
    "devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":1,"minor":-1,"access":"r"}]})");
  MUST(limits, parse_resources(read.document));
  EXPECT(limits.memory.swap == -1 && limits.memory.disable_oom_killer && limits.cpu.shares == 1024U);
  EXPECT(limits.cpu.cpus == "0-1" && limits.pids == 32 && limits.block_io.weight_device.size() == 1);
  EXPECT(limits.block_io.read_bps.size() == 1 && limits.block_io.write_iops[0].rate == 2);
  EXPECT(limits.hugepages[0].limit == 9 && limits.rdma[0].hca_handles == 3U && !limits.rdma[0].hca_objects);
  EXPECT(limits.network_class == 1U && limits.network_priorities[0].priority == 5 &&
         limits.unified[0].value == "1");
  EXPECT(limits.devices.size() == 2 && !limits.devices[0].allow && limits.devices[1].read &&
         !limits.devices[1].write);
  EXPECT(limits.devices[1].major == 1U && !limits.devices[1].minor);
}

TEST("resources: wrong input names its place") {
  const std::pair<const char*, const char*> cases[] = {
      {R"("memory":1)", "linux.resources.memory: expected an object, got a number"},
      {R"("memory":{"limit":"64m"})", "linux.resources.memory.limit: expected a number, got a string"},
      {R"("memory":{"limit":1.5})", "linux.resources.memory.limit: expected a whole number"},
      {R"("cpu":{"shares":-1})", "linux.resources.cpu.shares: expected a whole number from 0"},
      {R"("cpu":{"cpus":0})", "linux.resources.cpu.cpus: expected a string, got a number"},
      {R"("blockIO":{"weight":65536})", "linux.resources.blockIO.weight: too large"},
      {R"("blockIO":{"throttleReadBpsDevice":[{"major":"8"}]})",
       "linux.resources.blockIO.throttleReadBpsDevice[0].major: expected a number, got a string"},
      {R"("hugepageLimits":[0])", "linux.resources.hugepageLimits[0]: expected an object, got a number"},
      {R"("rdma":{"a b":{}})", "linux.resources.rdma.a b: not the name of a device"},
      {R"("devices":[{"type":"x"}])", "linux.resources.devices[0].type: expected a, b or c"},
      {R"("devices":[{"access":"rx"}])", "linux.resources.devices[0].access: expected letters of rwm"},
      {R"("devices":[{"major":4294967296}])", "linux.resources.devices[0].major: too large"},
      {R"("unified":{"cgroup.procs":"1"})",
       "linux.resources.unified.cgroup.procs: not the name of a controller's file"},
      {R"("unified":{"../x":"1"})", "linux.resources.unified.../x: not the name of a controller's file"},
      {R"("unified":{"memory.max":1})",
       "linux.resources.unified.memory.max: expected a string, got a number"},
  };
  for (const auto& [fields, message] : cases) EXPECT_EQ(resources_say(fields), message);
}
