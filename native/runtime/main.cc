#include <span>
#include <string_view>

#include "core/container/init.h"
#include "core/process/own_copy.h"
#include "core/sys/syscalls.h"
#include "runtime/commands/janitor.h"
#include "runtime/support/heap.h"
#include "runtime/support/warm.h"
#include "runtime/verbs.h"

namespace {

using namespace std::string_view_literals;

// The library's own commands speak on this descriptor, and on no other that they were not handed.
constexpr int kChannel = 3;

// These enter a container, where somebody could reach for the program's own file, or have a child that does.
constexpr std::string_view kEnter[] = {"exec", "restore", "mounts"};
constexpr std::string_view kMake[] = {"create", "run"};

// Where a verb stands among the options is told later.
bool has_one_of(std::span<char* const> arguments, std::span<const std::string_view> verbs) {
  for (const std::string_view argument : arguments)
    for (const std::string_view verb : verbs)
      if (argument == verb) return true;
  return false;
}

nsbox::Status leave_the_hosts_file(std::span<char* const> arguments, char** argv, char** envp) {
  if (has_one_of(arguments, kEnter)) return nsbox::run_from_own_copy(argv, envp);
  if (has_one_of(arguments, kMake)) return nsbox::prepare_own_copy(argv, envp);
  return nsbox::Ok{};
}

}  // namespace

int main(int argc, char** argv, char** envp) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  nsbox::runtime::install_memory_hooks();
  if (command == "init"sv) {
    nsbox::runtime::warm_up();
    return nsbox::run_init(kChannel);
  }
  if (command == "janitor"sv) return nsbox::runtime::run_janitor(kChannel);
  const std::span<char* const> arguments(argv, static_cast<size_t>(argc));
  if (auto done = leave_the_hosts_file(arguments, argv, envp); !done)
    return nsbox::runtime::tell_start_failure(done.error());
  return nsbox::runtime::run_verb(argc, argv, envp);
}
