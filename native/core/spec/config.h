#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/json.h"
#include "core/base/vector.h"
#include "core/cgroup/resctrl.h"
#include "core/mount/dev.h"
#include "core/mount/mount.h"
#include "core/ns/id_map.h"
#include "core/security/capabilities.h"
#include "core/security/rlimits.h"
#include "core/security/scheduling.h"

// The runtime-spec's config.json, in the structs of the folders that act on it. All texts live in the arena
// that the document was read with.
namespace nsbox {

// The newest runtime-spec that all of is understood of.
inline constexpr std::string_view kOciVersion = "1.3.0";

struct ProcessSpec {
  bool terminal = false;
  uint16_t columns = 0;
  uint16_t rows = 0;
  uint32_t user = 0;
  uint32_t group = 0;
  Vector<uint32_t> additional_groups;
  std::optional<uint32_t> umask;
  uint32_t own_pipes = 0;       // Ours: bit n, descriptor n is a pipe made for this process alone.
  uint32_t null_stdio = 0;      // Ours: bit n, descriptor n is the box's own null device.
  std::string_view named_user;  // Ours: "name[:group]", looked up in the root's /etc/passwd.
  Vector<std::string_view> args;
  Vector<std::string_view> env;
  std::string_view cwd;
  CapabilitySets capabilities;  // Absent in the configuration: none.
  // Names that we do not know, perhaps of a newer kernel's; nobody gets them. For the log.
  Vector<std::string_view> unknown_capabilities;
  Vector<Rlimit> rlimits;
  bool no_new_privileges = false;
  std::optional<int> oom_score_adj;
  std::string_view apparmor_profile;
  std::string_view selinux_label;
  std::optional<Scheduler> scheduler;
  std::optional<IoPriority> io_priority;
  std::string_view initial_affinity;  // execCPUAffinity: a list of processors, "0-3,7"; empty: not set.
  std::string_view final_affinity;
};

// A program of the host's (or, for createContainer and startContainer, seen from the container's namespaces)
// that is run at a moment of the container's life: runtime-spec config.md, "POSIX-platform Hooks".
struct Hook {
  std::string_view path;
  Vector<std::string_view> args;  // args[0] is the program's own name; empty: the path.
  Vector<std::string_view> env;   // All that it gets.
  std::optional<uint32_t> timeout_seconds;
};

struct Hooks {
  Vector<Hook> prestart;
  Vector<Hook> create_runtime;
  Vector<Hook> create_container;
  Vector<Hook> start_container;
  Vector<Hook> poststart;
  Vector<Hook> poststop;
};

// "prestart", "createRuntime" …
std::span<const std::string_view> hook_names();

struct Annotation {
  std::string_view name;
  std::string_view value;
};

// Seconds and nanoseconds that a new time namespace's clock is ahead of the host's; negative: behind.
struct TimeOffset {
  std::string_view clock;  // "monotonic" or "boottime"
  int64_t seconds = 0;
  uint32_t nanoseconds = 0;
};

struct MemoryPolicy {
  uint32_t mode = 0;       // MPOL_*
  uint32_t flags = 0;      // MPOL_F_*, as set_mempolicy(2) wants them with the mode.
  std::string_view nodes;  // "0-3,5"
};

struct NetDevice {
  std::string_view host_name;
  std::string_view name;  // In the container; empty: the same.
};

struct NamespaceSpec {
  uint64_t flag = 0;
  std::string_view path;  // Empty: a new one.
};

struct Sysctl {
  std::string_view name;  // As it was given: "net.ipv4.ip_forward" or "net/ipv4/ip_forward"
  std::string_view path;  // Below /proc/sys: "net/ipv4/ip_forward"
  std::string_view value;
};

struct Config {
  std::string_view oci_version;
  std::optional<ProcessSpec> process;
  std::string_view root_path;
  bool root_readonly = false;
  std::string_view hostname;
  std::string_view domainname;
  Vector<Mount> mounts;
  Vector<NamespaceSpec> namespaces;
  Vector<IdMapping> user_mappings;
  Vector<IdMapping> group_mappings;
  Vector<Device> devices;
  Vector<std::string_view> masked_paths;
  Vector<std::string_view> readonly_paths;
  Vector<Sysctl> sysctls;
  uint64_t rootfs_propagation = 0;  // MS_*; 0 where the configuration says nothing.
  Hooks hooks;
  Vector<Annotation> annotations;
  std::string_view cgroups_path;
  std::string_view mount_label;         // SELinux's, for every mount that the container gets.
  std::optional<uint64_t> personality;  // personality(2)
  std::optional<MemoryPolicy> memory_policy;
  Vector<TimeOffset> time_offsets;
  Vector<NetDevice> net_devices;
  std::optional<cgroup::IntelRdt> intel_rdt;
  std::string_view seccomp_listener_path;  // Where the descriptor of SECCOMP_RET_USER_NOTIF goes.
  std::string_view seccomp_listener_metadata;
  const json::Value* resources = nullptr;  // linux.resources, read by cgroup_limits().
  const json::Value* seccomp = nullptr;    // linux.seccomp

  const NamespaceSpec* find_namespace(uint64_t flag) const;
  bool has_namespace(uint64_t flag) const { return find_namespace(flag) != nullptr; }
};

}  // namespace nsbox
