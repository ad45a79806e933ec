#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/error.h"
#include "core/base/vector.h"
#include "core/cgroup/controllers.h"
#include "core/cgroup/devices.h"

// OCI's linux.resources, by its names. Texts are borrowed. What is not set stays as the kernel has it.
namespace nsbox::cgroup {

struct GroupSet;

// Bytes; -1 is no limit, and 0 is not set, as in every OCI runtime.
struct MemoryLimits {
  std::optional<int64_t> limit = {};
  std::optional<int64_t> reservation = {};
  std::optional<int64_t> swap = {};  // Memory and swap together.
  std::optional<int64_t> kernel_tcp = {};
  std::optional<uint64_t> swappiness = {};
  bool disable_oom_killer = false;
  bool check_before_update = false;  // Refuse a limit below what is in use.
};

struct CpuLimits {
  std::optional<uint64_t> shares = {};  // 2 to 262144; v2: weight 1 + (shares - 2) * 9999 / 262142.
  std::optional<int64_t> quota = {};    // Microseconds in a period; -1 is no limit.
  std::optional<uint64_t> period = {};
  std::optional<uint64_t> burst = {};
  std::optional<int64_t> realtime_runtime = {};
  std::optional<uint64_t> realtime_period = {};
  std::optional<int64_t> idle = {};
  std::string_view cpus = {};  // "0-3,7"
  std::string_view mems = {};
};

struct WeightDevice {
  uint32_t major = 0, minor = 0;
  std::optional<uint16_t> weight = {};
  std::optional<uint16_t> leaf_weight = {};
};

struct ThrottleDevice {
  uint32_t major = 0, minor = 0;
  uint64_t rate = 0;
};

struct BlockIoLimits {
  std::optional<uint16_t> weight = {};  // 10 to 1000
  std::optional<uint16_t> leaf_weight = {};
  Vector<WeightDevice> weight_device = {};
  Vector<ThrottleDevice> read_bps = {}, write_bps = {}, read_iops = {}, write_iops = {};
};

struct HugepageLimit {
  std::string_view page_size;  // "2MB"
  uint64_t limit = 0;
};

struct RdmaLimit {
  std::string_view device;
  std::optional<uint32_t> hca_handles = {};
  std::optional<uint32_t> hca_objects = {};
};

struct InterfacePriority {
  std::string_view name;
  uint32_t priority = 0;
};

struct UnifiedEntry {
  std::string_view file;  // "memory.high"
  std::string_view value;
};

struct Limits {
  MemoryLimits memory = {};
  CpuLimits cpu = {};
  std::optional<int64_t> pids = {};  // Negative: no limit.
  BlockIoLimits block_io = {};
  Vector<HugepageLimit> hugepages = {};
  Vector<RdmaLimit> rdma = {};
  std::optional<uint32_t> network_class = {};
  Vector<InterfacePriority> network_priorities = {};
  Vector<UnifiedEntry> unified = {};
  Vector<DeviceRule> devices = {};
};

// v1's values on v2's scales: 1 + (shares - 2) * 9999 / 262142, and 1 + (weight - 10) * 9999 / 990.
uint64_t cpu_weight(uint64_t shares);
uint64_t io_weight(uint64_t weight);

// The controllers without which the limits cannot be set.
Controllers needed_controllers(const Limits& limits);

// Sets them, in a new group or one in use. Stops at the first that cannot be set; the error names the limit,
// the value and the reason, and has the errno kNoController when the group has not got the controller for it.
Status apply_limits(const GroupSet& set, const Limits& limits);

}  // namespace nsbox::cgroup
