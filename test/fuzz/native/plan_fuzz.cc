// The plan that init reads: config.json and what stands around it.
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

#include "core/base/text.h"
#include "core/container/plan.h"
#include "core/spec/parse.h"
#include "core/sys/syscalls.h"
#include "json_words.h"
#include "target.h"

using namespace nsbox;

namespace {

void no_nul(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) std::abort();
}

// What the code behind the parser relies on.
void check(const Plan& plan) {
  const Config& config = plan.config;
  for (const Mount& mount : config.mounts) {
    if (mount.destination.empty() || (!mount.bind && mount.type.empty())) std::abort();
    no_nul(mount.destination);
    no_nul(mount.source);
    for (const std::string_view option : mount.data) no_nul(option);
  }
  for (const Sysctl& one : config.sysctls) {
    no_nul(one.name);
    no_nul(one.path);
    // box.cc opens it below /proc/sys.
    for (const std::string_view part : split(one.path, '/'))
      if (part.empty() || part == "." || part == "..") std::abort();
  }
  for (const Device& device : config.devices)
    if (device.path.empty() || device.path[0] != '/' || device.mode > 07777) std::abort();
  no_nul(config.root_path);
  if (!config.process) return;
  const ProcessSpec& process = *config.process;
  if (process.args.empty() || process.cwd.empty() || process.user == UINT32_MAX) std::abort();
  for (const std::string_view one : process.args) no_nul(one);
  for (const std::string_view one : process.env) no_nul(one);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Arena arena;
  Vector<UniqueFd> fds;
  for (int i = 0; i < 2; i++) {
    auto fd = sys::open("/dev/null", O_RDONLY);
    if (fd) fds.push_back(std::move(*fd));
  }
  auto plan = parse_plan({reinterpret_cast<const char*>(data), size}, {}, std::move(fds), arena);
  if (plan)
    check(*plan);
  else if (plan.error().message().empty())
    std::abort();
  return 0;
}

namespace nsbox::fuzz {

std::vector<std::string> seeds() {
  return {
      R"({"config":{"root":{"path":"/","readonly":true},"hostname":"box","process":{"args":["sh"],"cwd":"/","env":["A=1"],
"user":{"uid":0,"gid":0,"umask":18,"additionalGids":[1]},"capabilities":{"bounding":["CAP_KILL"]},
"rlimits":[{"type":"RLIMIT_NOFILE","soft":1,"hard":2}],"consoleSize":{"height":24,"width":80},"oomScoreAdj":0},
"mounts":[{"destination":"/proc","type":"proc","source":"proc","options":["nosuid","ro"]},
{"destination":"/b","source":"/s","options":["rbind","rslave","rro"]}],
"linux":{"namespaces":[{"type":"pid"},{"type":"network"},{"type":"ipc"}],"uidMappings":[{"containerID":0,"hostID":0,"size":1}],
"devices":[{"path":"/dev/x","type":"c","major":1,"minor":3}],"maskedPaths":["/proc/kcore"],"readonlyPaths":["/proc/sys"],
"sysctl":{"net.core.somaxconn":"1"},"rootfsPropagation":"private"}},"root":"overlay","idMaps":"self","hold":true,"start":true,
"scratchSize":1048576,"snapshots":[{"target":"/","lowers":["/l"]}],
"cgroup":{"name":"g","join":3,"parents":[{"controllers":1,"version":2}]}})",
      R"({"config":{}})", R"({"config":null,"root":"split"})"};
}

std::vector<std::string> words() {
  return json_words({"true",
                     "1",
                     "-1",
                     "4294967295",
                     "1.5",
                     "\"\\u0000\"",
                     "\"config\":",
                     "\"process\":",
                     "\"linux\":",
                     "\"mounts\":[",
                     "\"destination\":",
                     "\"options\":[",
                     "\"bind\"",
                     "\"rro\"",
                     "\"sysctl\":{",
                     "\"net.\"",
                     "\"namespaces\":[",
                     "\"type\":\"pid\"",
                     "\"devices\":[",
                     "\"cgroup\":{",
                     "\"parents\":[",
                     "\"snapshots\":[",
                     "\"user\":{",
                     ".."});
}

}  // namespace nsbox::fuzz
