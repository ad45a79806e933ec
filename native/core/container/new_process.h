#pragma once

#include <linux/filter.h>
#include <sys/types.h>

#include <span>

#include "core/security/seccomp_install.h"
#include "core/spec/config.h"

// What becomes of a process of ours that is to run a program of the container's.
namespace nsbox {

// What a process of a container needs beside its own description.
struct ProcessContext {
  int root = -1;
  int proc = -1;  // A trusted procfs; -1: whoever starts it sees to what is written there.
  std::span<const sock_filter> filter;
  SeccompInstallOptions filter_options;
  CapabilityMask bounding = 0;  // What init itself still has.
  bool clamp_capabilities = false;
  bool keep_groups = false;    // Leave the supplementary groups as they are.
  unsigned preserved_fds = 0;  // As many from 3 on stay open.
  // Takes the listener of a filter that asks for one.
  Status (*take_listener)(void* context, UniqueFd listener) = nullptr;
  void* listener_context = nullptr;
  int needed_fds[2] = {-1, -1};  // Until the exec: who waits for it, and who takes the listener.
};

inline constexpr int kExitNotExecutable = 126;
inline constexpr int kExitNotFound = 127;

struct Identity {
  uint32_t user = 0;
  uint32_t group = 0;
  Vector<uint32_t> groups;
  String home;
};

// Who it is, by the root's account files where the specification has a name.
Result<Identity> find_identity(const ProcessSpec& process, int root);

// Texts and pointers for exec, made before a clone that shares memory.
struct ExecTexts {
  Vector<String> texts;
  Vector<const char*> argv;
  Vector<const char*> envp;

  ExecTexts(const ProcessSpec& process, const Identity& who);

 private:
  const char* keep(std::string_view text);
};

// Turns the calling process into the one described. Both parts may run in a child that shares its parent's
// memory (clone_vfork).
class NewProcess {
 public:
  NewProcess(const ProcessSpec& process, const ProcessContext& context, const Identity& who,
             const ExecTexts& texts, std::span<const int> stdio)
      : process_(process), context_(context), who_(who), texts_(texts), stdio_(stdio) {}

  // Session, descriptors, limits, directory, identity. What is left is the filter, and the privilege that
  // installing it takes.
  Status prepare();
  // Whether the program can be found and executed, without doing so.
  Status check_program();
  // The filter and the exec: returns only when that failed.
  Status execute();

  // What a shell would give: 127 not found, 126 not executable, else 125.
  int exit_status() const { return exit_status_; }

 private:
  Status take_stdio();
  Status set_oom_score();
  Status set_labels();
  Status set_scheduling();
  Status enter_directory();
  Status take_identity();
  void close_own_descriptors() const;
  Status install_filter();
  Status exec_program();
  Status in_path(Status (*attempt)(const NewProcess& self, const char* file));
  Error cannot_execute(const Error& error);
  CapabilityMask kept_for_filter() const;

  const ProcessSpec& process_;
  const ProcessContext& context_;
  const Identity& who_;
  const ExecTexts& texts_;
  std::span<const int> stdio_;
  CapabilitySets capabilities_;
  int exit_status_ = 125;
};

}  // namespace nsbox
