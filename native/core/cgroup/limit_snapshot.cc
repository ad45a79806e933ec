#include "core/cgroup/limit_snapshot.h"

#include "core/base/text.h"
#include "core/cgroup/files.h"

namespace nsbox::cgroup {
namespace {

struct LimitFile {
  Controller controller;
  Version version;
  const char* name;
};
constexpr LimitFile kFiles[] = {
    {Controller::kMemory, Version::kV1, "memory.limit_in_bytes"},
    {Controller::kMemory, Version::kV1, "memory.memsw.limit_in_bytes"},
    {Controller::kMemory, Version::kV1, "memory.soft_limit_in_bytes"},
    {Controller::kMemory, Version::kV1, "memory.kmem.tcp.limit_in_bytes"},
    {Controller::kMemory, Version::kV1, "memory.swappiness"},
    {Controller::kMemory, Version::kV2, "memory.max"},
    {Controller::kMemory, Version::kV2, "memory.swap.max"},
    {Controller::kMemory, Version::kV2, "memory.low"},
    {Controller::kCpu, Version::kV1, "cpu.shares"},
    {Controller::kCpu, Version::kV1, "cpu.idle"},
    {Controller::kCpu, Version::kV1, "cpu.cfs_burst_us"},
    {Controller::kCpu, Version::kV1, "cpu.cfs_period_us"},
    {Controller::kCpu, Version::kV1, "cpu.cfs_quota_us"},
    {Controller::kCpu, Version::kV1, "cpu.rt_period_us"},
    {Controller::kCpu, Version::kV1, "cpu.rt_runtime_us"},
    {Controller::kCpu, Version::kV2, "cpu.weight"},
    {Controller::kCpu, Version::kV2, "cpu.idle"},
    {Controller::kCpu, Version::kV2, "cpu.max"},
    {Controller::kCpu, Version::kV2, "cpu.max.burst"},
    {Controller::kCpuset, Version::kV1, "cpuset.cpus"},
    {Controller::kCpuset, Version::kV1, "cpuset.mems"},
    {Controller::kCpuset, Version::kV2, "cpuset.cpus"},
    {Controller::kCpuset, Version::kV2, "cpuset.mems"},
    {Controller::kPids, Version::kV1, "pids.max"},
    {Controller::kPids, Version::kV2, "pids.max"},
    {Controller::kBlkio, Version::kV1, "blkio.weight"},
    {Controller::kBlkio, Version::kV1, "blkio.bfq.weight"},
};

}  // namespace

LimitSnapshot LimitSnapshot::take(const GroupSet& set) {
  LimitSnapshot out;
  for (const LimitFile& file : kFiles) {
    const Hierarchy* group = set.find(file.controller);
    if (!group || group->version != file.version) continue;
    auto value = read_value(group->dir.get(), file.name);
    if (value) out.entries_.push_back({group->dir.get(), file.name, String(trim(*value))});
  }
  return out;
}

// Some limits are refused while others are what they are (memory beyond memory and swap together, a burst
// beyond the quota): a second round finds these in order, and a third what depended on them.
void LimitSnapshot::restore() const {
  for (int round = 0; round < 3; round++) {
    bool all_well = true;
    for (const Entry& entry : entries_) {
      auto now = read_value(entry.dir, entry.file);
      if (now && trim(*now) == entry.value.view()) continue;
      // An empty list of processors is written as an empty line.
      auto done = write_value(entry.dir, entry.file, entry.value.empty() ? "\n" : entry.value.view());
      all_well = all_well && done;
    }
    if (all_well) return;
  }
}

}  // namespace nsbox::cgroup
