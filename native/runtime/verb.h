#pragma once

#include <span>
#include <string_view>

#include "core/cgroup/systemd.h"
#include "core/container/state.h"
#include "core/container/status.h"
#include "runtime/arguments.h"
#include "runtime/log.h"

namespace nsbox::runtime {

// What stands before the verb, and what all verbs need.
struct Globals {
  String root;  // Where state lies.
  CgroupManager manager = CgroupManager::kCgroupfs;
  bool debug = false;
  cgroup::Manager bus = cgroup::Manager::kSystem;
  cgroup::BusEnvironment bus_environment;
  Log log;
  std::span<const char* const> environment;
  int argc = 0;
  char** argv = nullptr;
  char** envp = nullptr;

  std::string_view variable(std::string_view name) const;
};

struct Verb {
  std::string_view name;
  std::string_view usage;    // What stands behind the name: "[options] ID [COMMAND [ARG…]]".
  std::string_view summary;  // One line.
  std::span<const OptionSpec> options;
  Operands operands = Operands::kMixed;
  // Answers the exit status; a failure is told as "VERB failed: …".
  Result<int> (*run)(Globals& globals, const Arguments& arguments);
};

// All that is wrong with how a verb was called.
template <typename... Parts>
Error usage_error(const Parts&... parts) {
  return Error::invalid(parts...);
}

// The id that stands first, checked; `count` operands are expected.
Result<std::string_view> only_id(const Arguments& arguments);
Result<std::string_view> first_id(const Arguments& arguments);

Status print(std::string_view text);

// A path as the caller means it: relative to its own directory.
Result<String> absolute_path(std::string_view path);

extern const Verb kCreate, kRun, kStart, kState, kKill, kDelete, kExec;
extern const Verb kList, kPause, kResume, kPs, kUpdate, kEvents, kFeatures, kSpec, kMounts, kCheckpoint,
    kRestore;

}  // namespace nsbox::runtime
