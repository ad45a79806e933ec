// A bundle's config.json as `create` reads it: hooks, namespaces, mounts, devices and all.
#include <cstdint>
#include <cstdlib>

#include "core/spec/parse.h"
#include "target.h"

using namespace nsbox;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Arena arena;
  auto document = json::parse({reinterpret_cast<const char*>(data), size}, arena);
  if (!document) return 0;
  auto config = parse_config(*document, arena);
  if (!config) return config.error().message().empty() ? std::abort(), 0 : 0;
  for (const Mount& mount : config->mounts)
    if (mount.destination.empty()) std::abort();
  for (const Sysctl& one : config->sysctls)
    if (one.path.find("..") != std::string_view::npos) std::abort();
  if (!config->process) return 0;
  // No id may ever mean "no change" to the kernel.
  if (config->process->user == UINT32_MAX || config->process->group == UINT32_MAX) std::abort();
  for (std::string_view one : config->process->args)
    if (one.find('\0') != std::string_view::npos) std::abort();
  return 0;
}

namespace nsbox::fuzz {

std::vector<std::string> seeds() {
  return {
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
  return {"{",
          "}",
          "[",
          "]",
          ":",
          ",",
          "\"",
          "null",
          "true",
          "-1",
          "0",
          "1.5",
          "4294967295",
          "18446744073709551616",
          "\"linux\":{",
          "\"process\":{",
          "\"namespaces\":[",
          "\"path\":",
          "\"type\":",
          "\"mounts\":[",
          "\"options\":[",
          "\"hooks\":{",
          "\"prestart\":[",
          "\"timeout\":0",
          "\"../x\"",
          "\"/proc\"",
          "\\u0000",
          "\\ud800",
          "\"size\":0",
          "\"idmap=uids=0-1-2;gids=0-1-2\"",
          "\"sysctl\":{",
          "\"kernel.hostname\"",
          "\"net..x\""};
}

}  // namespace nsbox::fuzz
