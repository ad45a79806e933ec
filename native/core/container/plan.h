#pragma once

#include <linux/filter.h>

#include <span>
#include <string_view>

#include "core/cgroup/cgroup.h"
#include "core/cgroup/layout.h"
#include "core/spec/config.h"

// What the starter hands to init: the OCI configuration, and beside it what only this host's side knows. It
// is the first message on the channel: a PlanHeader, the JSON, the compiled seccomp filter; with the
// descriptors.
namespace nsbox {

inline constexpr uint32_t kPlanMagic = 0x6e736231;     // "nsb1"
inline constexpr uint32_t kPrepareMagic = 0x6e737031;  // "nsp1"

// May come before the plan, to an init that is started ahead of its need: namespaces to be in already
// (CLONE_NEW*).
struct PrepareMessage {
  uint32_t magic = kPrepareMagic;
  uint32_t namespaces = 0;
};

struct PlanHeader {
  uint32_t magic = kPlanMagic;
  uint32_t json_size = 0;
  uint32_t filter_size = 0;  // Bytes of sock_filter.
  uint32_t in_memfd = 0;     // 1: JSON and filter lie in the first descriptor, being too long for a message.
};

// How the root comes about.
enum class RootKind : uint8_t {
  kBind,     // The directory itself, as OCI has it.
  kOverlay,  // Copy-on-write over the directory.
  kSplit,    // Copy-on-write over each of its top-level directories: for "/" in a user namespace.
};

enum class IdMaps : uint8_t {
  kNone,  // No user namespace of its own.
  kSelf,  // Init writes them: one id, its own.
  kWait,  // The starter has newuidmap write them, and says when.
};

// Frozen layers from a snapshot, for the overlay at `target`: topmost first.
struct SnapshotLayers {
  std::string_view target;
  Vector<std::string_view> lowers;
};

struct Plan {
  Config config;
  RootKind root = RootKind::kBind;
  IdMaps id_maps = IdMaps::kNone;
  bool hold = false;   // Serve exec requests until told to end; otherwise end with the first process.
  bool start = false;  // Start config.process at once, as request 0; its three stdio descriptors come along.
  uint64_t scratch_size = 0;
  std::string_view scratch_path;  // A directory of the host's to write to, in place of a tmpfs.
  Vector<SnapshotLayers> snapshots;
  std::string_view cgroup_name;  // Empty: no groups.
  cgroup::Controllers cgroup_join;
  cgroup::GroupSet cgroup_parents;
  bool make_cwd = false;  // A working directory that is not there is made, as other OCI runtimes do.
  bool clamp_capabilities = false;  // What this machine lacks is left out, instead of refused.
  std::span<const sock_filter> filter;
  Vector<UniqueFd> stdio;
  std::optional<cgroup::Layout> cgroup_layout;  // As it is once its process is in its groups, if it is known.
  uint64_t prepared = 0;                        // Namespaces that this process is in already.
};

// Reads the message's parts. `fds`: the cgroup directories in the plan's order, then stdio.
Result<Plan> parse_plan(std::string_view text, std::span<const sock_filter> filter, Vector<UniqueFd> fds,
                        Arena& arena);

}  // namespace nsbox
