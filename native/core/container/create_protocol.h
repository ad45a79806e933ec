#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

// What create and the container's first process say to each other, one message each. A text follows that of
// an error, and that of the groups: the lines of the host's mountinfo that tell of their hierarchies.
namespace nsbox {

enum class CreateStep : uint32_t {
  // To the process:
  kGo = 1,         // The id maps are written.
  kMounts = 10,    // Here are binds that were made outside, in the order of those that want it.
  kNetwork = 11,   // Here is the network namespace.
  kGroups = 2,     // Here are the entrances to the groups; the filter is ready.
  kHooksDone = 3,  // createRuntime's hooks have run.
  kWait = 4,       // All is recorded: wait to be started.
  kStart = 5,      // … or go on at once.
  // From it:
  kRuntimeHooks = 6,  // The root is built: the time for hooks outside.
  kReady = 7,         // Nothing is left but to start; the terminal comes along.
  kFailed = 8,
  kPid = 9,  // From a go-between: the process that it made.
};

inline constexpr size_t kMaxGroupLines = 32768;

struct CreateMessage {
  CreateStep step;
  pid_t pid = 0;             // kGroups: of the process, as the host has it.
  uint32_t filter_size = 0;  // kGroups: instructions in the shared memory.
  uint32_t controllers = 0;  // kGroups: of the container's groups.
  bool elsewhere = false;    // kGroups: it has been kept off a processor.
  int32_t err = 0;           // kFailed
  int32_t exit_status = 0;   // kFailed: what a shell would give.
};

}  // namespace nsbox
