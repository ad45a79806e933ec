// A bundle's config.json, and the process object of an exec.
#include <cstdint>
#include <cstdlib>

#include "core/base/number_list.h"
#include "core/base/text.h"
#include "core/cgroup/resctrl.h"
#include "core/net/device.h"
#include "core/spec/parse.h"
#include "json_words.h"
#include "target.h"

using namespace nsbox;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

void no_nul(std::string_view text) { must(text.find('\0') == std::string_view::npos); }

// What the code behind the parser relies on.
void check(const ProcessSpec& process) {
  must(!process.args.empty() && process.cwd.starts_with('/'));
  must(process.user != UINT32_MAX && process.group != UINT32_MAX);
  for (const std::string_view one : process.args) no_nul(one);
  for (const std::string_view one : process.env) {
    no_nul(one);
    must(one.find('=') != std::string_view::npos && one[0] != '=');
  }
  for (const Rlimit& limit : process.rlimits) must(limit.soft <= limit.hard && limit.resource < 16);
  if (process.scheduler) must(process.scheduler->nice >= -20 && process.scheduler->nice <= 19);
  if (process.io_priority) must(process.io_priority->priority < 8 && process.io_priority->io_class < 4);
  must(static_cast<bool>(parse_number_list(process.initial_affinity)));
  must(static_cast<bool>(parse_number_list(process.final_affinity)));
}

void check(const Vector<Hook>& hooks) {
  for (const Hook& hook : hooks) {
    must(hook.path.starts_with('/') && hook.timeout_seconds != 0U);
    no_nul(hook.path);
  }
}

void check_linux(const Config& config) {
  for (const Sysctl& one : config.sysctls)
    for (const std::string_view part : split(one.path, '/'))
      must(!part.empty() && part != "." && part != "..");
  for (const NetDevice& one : config.net_devices)
    must(is_net_device_name(one.host_name) && (one.name.empty() || is_net_device_name(one.name)));
  for (const TimeOffset& one : config.time_offsets) must(one.nanoseconds < 1'000'000'000);
  for (const NamespaceSpec& one : config.namespaces) must(one.path.empty() || one.path[0] == '/');
  if (config.memory_policy) must(static_cast<bool>(parse_number_list(config.memory_policy->nodes)));
  if (!config.intel_rdt) return;
  const std::string_view clos = config.intel_rdt->clos_id;
  must(clos != "." && clos != ".." && (clos == "/" || clos.find('/') == std::string_view::npos));
  const String lines = cgroup::schemata_of(*config.intel_rdt);
  (void)cgroup::schemata_agree(lines, lines);
}

void check(const Config& config) {
  if (config.process) check(*config.process);
  for (const Vector<Hook>* hooks :
       {&config.hooks.prestart, &config.hooks.create_runtime, &config.hooks.create_container,
        &config.hooks.start_container, &config.hooks.poststart, &config.hooks.poststop})
    check(*hooks);
  for (const Annotation& one : config.annotations) must(!one.name.empty());
  for (const Mount& mount : config.mounts) must(!mount.destination.empty());
  for (const Device& device : config.devices) must(device.path.starts_with('/') && device.mode <= 07777);
  no_nul(config.root_path);
  no_nul(config.cgroups_path);
  check_linux(config);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Arena arena;
  auto document = json::parse({reinterpret_cast<const char*>(data), size}, arena);
  if (!document) return 0;
  auto bundle = parse_config(*document, arena);
  if (bundle) {
    check(*bundle);
    must(bundle->oci_version.starts_with("1.") && !bundle->root_path.empty() && bundle->process.has_value());
  } else {
    must(!bundle.error().message().empty());
  }
  auto box = parse_box_config(*document, arena);
  if (box) check(*box);
  must(box || !bundle);
  auto process = parse_process(*document, "process");
  if (process) check(*process);
  return 0;
}

namespace nsbox::fuzz {

std::vector<std::string> seeds() {
  return {
      R"({"ociVersion":"1.3.0-rc.1+dev","root":{"path":"rootfs","readonly":true},"hostname":"h","domainname":"d",
"process":{"terminal":true,"consoleSize":{"height":24,"width":80},"user":{"uid":0,"gid":0,"umask":18,"additionalGids":[1]},
"args":["sh"],"env":["A=1"],"cwd":"/","capabilities":{"bounding":["CAP_KILL","CAP_FLY"]},
"rlimits":[{"type":"RLIMIT_CORE","soft":1,"hard":18446744073709551615}],"noNewPrivileges":true,"oomScoreAdj":-5,
"scheduler":{"policy":"SCHED_BATCH","nice":3,"flags":["SCHED_FLAG_RESET_ON_FORK"]},
"ioPriority":{"class":"IOPRIO_CLASS_BE","priority":3},"execCPUAffinity":{"initial":"0-3,7","final":"0-9:2/4"}},
"mounts":[{"destination":"/proc","type":"proc","source":"proc"},{"destination":"/b","source":"/s","options":["rbind","ro","idmap"],
"uidMappings":[{"containerID":0,"hostID":1,"size":2}],"gidMappings":[{"containerID":0,"hostID":1,"size":2}]}],
"hooks":{"prestart":[{"path":"/h","args":["h"],"env":["B=2"],"timeout":3}],"poststop":[{"path":"/i"}]},
"annotations":{"a.b":"c"},"linux":{"namespaces":[{"type":"mount"},{"type":"uts"},{"type":"time"},{"type":"user"},
{"type":"network","path":"/proc/1/ns/net"},{"type":"ipc"}],"uidMappings":[{"containerID":0,"hostID":1,"size":2}],
"timeOffsets":{"monotonic":{"secs":-1,"nanosecs":2},"boottime":{"secs":3}},
"devices":[{"path":"/dev/x","type":"c","major":1,"minor":3,"fileMode":438,"uid":0,"gid":0}],
"netDevices":{"eth1":{"name":"eth0"}},"cgroupsPath":"/c","resources":{},"rootfsPropagation":"rslave",
"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/l","listenerMetadata":"m"},
"sysctl":{"net.ipv4.conf.eth0/1.forwarding":"1","kernel/shmmax":"2","kernel.domainname":"x"},
"maskedPaths":["/proc/kcore"],"readonlyPaths":["/proc/sys"],"mountLabel":"l",
"intelRdt":{"closID":"c","schemata":["L3:0=f;1=7"],"l3CacheSchema":"L3:0=ff\nMB:0=1","memBwSchema":"MB:0=20","enableMonitoring":true},
"memoryPolicy":{"mode":"MPOL_BIND","nodes":"0-1","flags":["MPOL_F_STATIC_NODES"]},"personality":{"domain":"LINUX32"}}})",
      R"({"args":["sh","-c"],"cwd":"/w","user":{"nsbox.name":"a:b","nsbox.pipes":7,"nsbox.null":1},"scheduler":{"policy":"SCHED_DEADLINE","runtime":1,"deadline":2,"period":3}})",
      "{}",
      R"({"ociVersion":"1.3.0","process":{"terminal":true,"consoleSize":{"height":24,"width":80},"user":{"uid":1,"gid":2,
"umask":18,"additionalGids":[3]},"args":["sh","-c","true"],"env":["PATH=/bin"],"cwd":"/","capabilities":{"bounding":
["CAP_KILL"],"ambient":["CAP_NONE"]},"rlimits":[{"type":"RLIMIT_NOFILE","hard":10,"soft":5}],"noNewPrivileges":true,
"oomScoreAdj":10,"scheduler":{"policy":"SCHED_DEADLINE","flags":["SCHED_FLAG_RESET_ON_FORK"],"runtime":1,"deadline":2,
"period":3},"ioPriority":{"class":"IOPRIO_CLASS_BE","priority":4},"execCPUAffinity":{"initial":"0-1","final":"0"}},
"root":{"path":"rootfs","readonly":true},"hostname":"h","domainname":"d","annotations":{"a":"b"}})",
      R"({"ociVersion":"1.0.2","process":{"args":["x"],"cwd":"/","user":{}},"root":{"path":"r"},"mounts":[{"destination":
"/a","type":"tmpfs","source":"t","options":["nosuid","rro","size=1k","tmpcopyup"]},{"destination":"b","type":"bind",
"source":"/c","options":["rbind","idmap","rslave"],"uidMappings":[{"containerID":0,"hostID":1,"size":2}],"gidMappings":
[{"containerID":0,"hostID":1,"size":2}]}],"hooks":{"createRuntime":[{"path":"/h","args":["h"],"env":["A=b"],"timeout":5}],
"poststop":[{"path":"/p"}]}})",
      R"({"ociVersion":"1.2.0","process":{"args":["x"],"cwd":"/"},"root":{"path":"r"},"linux":{"namespaces":[{"type":"pid"},
{"type":"network","path":"/n"},{"type":"time"},{"type":"uts"},{"type":"user"}],"uidMappings":[{"containerID":0,"hostID":1,
"size":1}],"timeOffsets":{"monotonic":{"secs":-1,"nanosecs":5}},"sysctl":{"net.ipv4.ip_forward":"1","kernel/sem":"1"},
"devices":[{"path":"/dev/x","type":"c","major":1,"minor":2,"fileMode":438,"uid":1,"gid":2}],"maskedPaths":["/p"],
"readonlyPaths":["/r"],"rootfsPropagation":"rslave","personality":{"domain":"LINUX32"},"memoryPolicy":{"mode":"MPOL_BIND",
"nodes":"0","flags":["MPOL_F_STATIC_NODES"]},"netDevices":{"eth0":{"name":"e"}},"intelRdt":{"closID":"c","schemata":["L3:0=f"]},
"cgroupsPath":"/a/b","seccomp":{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/s","listenerMetadata":"m"}}})"};
}

std::vector<std::string> words() {
  return json_words({"-1",
                     "0",
                     "1.5",
                     "true",
                     "4294967295",
                     "4294967296",
                     "18446744073709551616",
                     "\"..\"",
                     "\"/\"",
                     "\"1.0.0\"",
                     "0-8191",
                     "0-9:1/2",
                     "3-1",
                     "net.",
                     "net/",
                     "%d",
                     "\\u0000",
                     "\\n",
                     "\"type\":",
                     "\"path\":",
                     "\"name\":",
                     "\"flags\":[",
                     "\"nodes\":",
                     "\"mode\":\"MPOL_LOCAL\"",
                     "\"policy\":\"SCHED_FIFO\"",
                     "\"timeout\":",
                     "\"linux\":{",
                     "\"process\":{",
                     "\"hooks\":{",
                     "\"sysctl\":{",
                     "\"netDevices\":{",
                     "\"intelRdt\":{",
                     "L3:0=",
                     "MB:",
                     ";",
                     "=",
                     "\"uidMappings\":[",
                     "\"namespaces\":[",
                     "\"mounts\":[",
                     "\"options\":[",
                     "\"prestart\":[",
                     "\"timeout\":0",
                     "\"../x\"",
                     "\"/proc\"",
                     "\\ud800",
                     "\"size\":0",
                     "\"idmap=uids=0-1-2;gids=0-1-2\"",
                     "\"kernel.hostname\"",
                     "\"net..x\""});
}

}  // namespace nsbox::fuzz
