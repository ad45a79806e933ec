// linux.resources, read into the limits of cgroups.
#include <cstdint>
#include <cstdlib>

#include "core/cgroup/limits.h"
#include "core/spec/resources.h"
#include "json_words.h"
#include "target.h"

using namespace nsbox;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Arena arena;
  auto document = json::parse({reinterpret_cast<const char*>(data), size}, arena);
  if (!document) return 0;
  auto limits = parse_resources(*document);
  if (!limits) return limits.error().message().empty() ? std::abort(), 0 : 0;
  (void)cgroup::needed_controllers(*limits);
  for (const cgroup::UnifiedEntry& one : limits->unified)
    if (one.file.empty() || one.file.find('/') != std::string_view::npos ||
        one.file.find('\0') != std::string_view::npos)
      std::abort();
  if (limits->cpu.shares && cgroup::cpu_weight(*limits->cpu.shares) > 10000) std::abort();
  if (limits->block_io.weight && cgroup::io_weight(*limits->block_io.weight) > 10000) std::abort();
  return 0;
}

namespace nsbox::fuzz {

std::vector<std::string> seeds() {
  return {
      R"({"memory":{"limit":67108864,"reservation":1,"swap":-1,"swappiness":60,"disableOOMKiller":true,"checkBeforeUpdate":true},
"cpu":{"shares":1024,"quota":50000,"period":100000,"burst":1,"realtimeRuntime":1,"realtimePeriod":2,"idle":1,"cpus":"0-1,3","mems":"0"},
"pids":{"limit":64},"blockIO":{"weight":500,"leafWeight":10,"weightDevice":[{"major":8,"minor":0,"weight":10,"leafWeight":11}],
"throttleReadBpsDevice":[{"major":8,"minor":0,"rate":1}],"throttleWriteIOPSDevice":[{"major":8,"minor":0,"rate":1}]},
"hugepageLimits":[{"pageSize":"2MB","limit":1}],"rdma":{"mlx5_1":{"hcaHandles":3,"hcaObjects":4}},
"network":{"classID":1048577,"priorities":[{"name":"eth0","priority":500}]},"unified":{"memory.high":"1"},
"devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":1,"minor":3,"access":"rw"}]})",
      "{}", R"({"devices":[{"type":"a"}]})"};
}

std::vector<std::string> words() {
  return json_words({"-1",
                     "0",
                     "262144",
                     "262145",
                     "18446744073709551615",
                     "9223372036854775807",
                     "-9223372036854775808",
                     "1.5",
                     "\"memory\":{",
                     "\"limit\":",
                     "\"cpu\":{",
                     "\"shares\":",
                     "\"unified\":{",
                     "\"../x\"",
                     "\"cgroup.\"",
                     "\"blockIO\":{",
                     "\"weight\":",
                     "\"devices\":[",
                     "\"major\":",
                     "\"access\":\"rwm\"",
                     "\\u0000"});
}

}  // namespace nsbox::fuzz
