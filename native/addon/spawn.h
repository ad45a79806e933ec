#pragma once

#include <memory>
#include <string_view>

#include "core/process/clone.h"

namespace nsbox::addon {

struct SpawnRequest {
  int program;          // The executable's descriptor.
  const char* command;  // "init", "janitor"
  int channel;          // Becomes descriptor 3.
  uint64_t namespaces;  // CLONE_NEW*
  int cgroup = -1;
};

// A clone on its way to become nsbox-runtime. It runs on memory of ours until its exec: this holds that
// memory, and must be kept until the clone is known to have executed (it has sent a message) or to be gone.
class Spawned {
 public:
  Spawned();
  ~Spawned();
  Spawned(Spawned&&) noexcept;
  Spawned& operator=(Spawned&&) noexcept;

  pid_t pid() const { return pid_; }
  UniqueFd take_pidfd() { return std::move(pidfd_); }
  // Why it could not execute; 0 while nothing went wrong. For good only once the clone is gone.
  int exec_error() const;

 private:
  friend Result<Spawned> spawn_runtime(const SpawnRequest& request);
  struct Memory;

  std::unique_ptr<Memory> memory_;
  pid_t pid_ = -1;
  UniqueFd pidfd_;
};

// The single place where the addon clones: clone3 sharing memory, and at once execveat of nsbox-runtime, with
// nothing but /dev/null and the channel open. It does not wait for the exec, so the event loop goes on.
Result<Spawned> spawn_runtime(const SpawnRequest& request);

// A sealed copy of the file in memory: what is executed from it can be written by nobody, root in a box
// included.
Result<UniqueFd> load_sealed(const char* path);

}  // namespace nsbox::addon
