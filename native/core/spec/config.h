#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/json.h"
#include "core/base/vector.h"
#include "core/mount/dev.h"
#include "core/mount/mount.h"
#include "core/ns/id_map.h"
#include "core/security/capabilities.h"
#include "core/security/rlimits.h"

// The runtime-spec's config.json, in the structs of the folders that act on it. All texts live in the arena
// that the document was read with.
namespace nsbox {

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
  Vector<Rlimit> rlimits;
  bool no_new_privileges = false;
  std::optional<int> oom_score_adj;
  std::string_view apparmor_profile;
  std::string_view selinux_label;
};

struct NamespaceSpec {
  uint64_t flag = 0;
  std::string_view path;  // Empty: a new one.
};

struct Sysctl {
  std::string_view name;  // "net.ipv4.ip_forward"
  std::string_view value;
};

struct Config {
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
  uint64_t rootfs_propagation = 0;         // MS_*; 0 where the configuration says nothing.
  const json::Value* resources = nullptr;  // linux.resources, read by cgroup_limits().
  const json::Value* seccomp = nullptr;    // linux.seccomp

  const NamespaceSpec* find_namespace(uint64_t flag) const;
  bool has_namespace(uint64_t flag) const { return find_namespace(flag) != nullptr; }
};

}  // namespace nsbox
