#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/cgroup/cgroup.h"

// What a container's verbs know of it between themselves: `<root>/<id>/`, with state.json (this struct),
// config.json (as it was at create), seccomp.bpf (its compiled filter) and "start" (the socket on which a
// created container waits). Written aside and renamed, so that a reader never sees half of it.
namespace nsbox {

inline constexpr unsigned kStateVersion = 1;
inline constexpr size_t kMaxIdLength = 1024;

enum class CgroupManager : uint8_t { kCgroupfs, kSystemd, kDisabled };

// One group of the container's, by the path at which it was made.
struct GroupPath {
  String path;
  cgroup::Controllers controllers;
  cgroup::Version version = cgroup::Version::kV1;
};

// A process, safe against another one that got its number later: proc_pid_stat(5), field 22.
struct ProcessId {
  pid_t pid = 0;
  uint64_t start = 0;
};

struct StateAnnotation {
  String name;
  String value;
};

struct State {
  String id;
  String oci_version;
  String bundle;
  String rootfs;
  String created;     // RFC 3339.
  bool made = false;  // Create has come to its end.
  ProcessId creator;  // The process that creates it.
  ProcessId init;
  uint32_t owner = 0;       // The user who made it.
  uint64_t namespaces = 0;  // CLONE_NEW*, that it has of its own or by path.
  CgroupManager manager = CgroupManager::kCgroupfs;
  String cgroups_path;  // As it was asked for.
  String unit;          // systemd's, of the system or of the user.
  bool user_bus = false;
  Vector<GroupPath> groups;
  Vector<GroupPath> further_groups;  // Where it could have more: none of them is made.
  uint32_t filter_flags = 0;         // Of seccomp.bpf.
  bool filter_listens = false;
  bool has_poststart = false;
  bool has_poststop = false;
  bool intel_rdt = false;
  bool new_keyring = false;  // Of the name session_keyring_name().
  Vector<StateAnnotation> annotations;
};

String session_keyring_name(std::string_view id);

String state_to_json(const State& state);
// Strict: a damaged file is an error that says so.
Result<State> parse_state(std::string_view text);

// "a container's id": one path component of letters, digits and "_+-.", as runc has it.
Status check_id(std::string_view id);

// The directory of one container.
class StateDirectory {
 public:
  // Of one that is being created: EEXIST when there is one of that id. The root is made when it is not there.
  static Result<StateDirectory> create(std::string_view root, std::string_view id);
  // ENOENT when there is none: "container does not exist".
  static Result<StateDirectory> open(std::string_view root, std::string_view id);

  Result<State> read() const;
  Status write(const State& state) const;
  // The same in two steps: written aside, and put in its place by whoever has the directory's descriptor.
  Status write_aside(const State& state) const;
  static Status put_in_place(int directory);
  bool is_put_in_place() const;
  // The same once more, for who must clear up after the first was damaged.
  Result<State> read_copy() const;
  Status write_copy(const State& state) const;
  // Kept with the copy, for who has lost that too.
  std::optional<ProcessId> remembered_init() const;
  // Another file of it: written aside and renamed likewise.
  Status write_file(const char* name, std::string_view content) const;

  // One verb at a time changes a container. Waits as long as that takes, at most until the time is up: EBUSY.
  Status lock(uint64_t timeout_ns) const;
  Status remove() const;

  int fd() const { return dir_.get(); }
  std::string_view id() const { return id_; }

 private:
  bool is_in_place() const;
  Status write_new_file(const char* name, std::string_view content) const;

  StateDirectory(UniqueFd parent, UniqueFd dir, std::string_view id)
      : parent_(std::move(parent)), dir_(std::move(dir)), id_(id) {}

  UniqueFd parent_;
  UniqueFd dir_;
  String id_;
};

// The ids below a root, sorted; none when there is no such directory.
Result<Vector<String>> list_ids(std::string_view root);

// Where state lies unless told: /run/nsbox, or below $XDG_RUNTIME_DIR for a user who may not write there.
Result<String> default_root(std::string_view xdg_runtime_dir);

}  // namespace nsbox
