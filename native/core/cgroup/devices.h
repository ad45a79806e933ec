#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/base/error.h"
#include "core/base/vector.h"

namespace nsbox::cgroup {

struct Hierarchy;

enum class DeviceType : uint8_t { kAll, kBlock, kChar };

// One rule of OCI's linux.resources.devices. Rules are read in order, and the last one that matches counts.
struct DeviceRule {
  bool allow = false;
  DeviceType type = DeviceType::kAll;
  std::optional<uint32_t> major = {};  // None: any.
  std::optional<uint32_t> minor = {};
  bool read = true;
  bool write = true;
  bool mknod = true;
};

// Docker's default: nothing but null, zero, full, random, urandom, tty, console, ptmx and terminals; making
// any node is allowed, opening it is not.
std::span<const DeviceRule> default_device_rules();

// The BPF program (BPF_PROG_TYPE_CGROUP_DEVICE) that decides as the rules do; one word an instruction. What
// no rule matches is denied.
Vector<uint64_t> device_program(std::span<const DeviceRule> rules);

// Sets the rules of one group: in v1 through devices.allow and devices.deny, in v2 by a BPF program, in place
// of an earlier one. A group never gets what one above it forbids.
Status apply_device_rules(const Hierarchy& group, std::span<const DeviceRule> rules);

}  // namespace nsbox::cgroup
