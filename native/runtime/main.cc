#include <cstring>
#include <string_view>

#include "core/container/init.h"
#include "core/process/own_copy.h"
#include "core/sys/syscalls.h"
#include "runtime/commands/janitor.h"
#include "runtime/support/heap.h"
#include "runtime/verbs.h"

namespace {

using namespace std::string_view_literals;

// The library's own commands speak on this descriptor, and on no other that they were not handed.
constexpr int kChannel = 3;

// These enter a container, where somebody could reach for the program's own file.
constexpr std::string_view kEnter[] = {"create", "run", "exec", "restore", "mounts"};

bool enters(int argc, char** argv) {
  for (int i = 1; i < argc; i++)
    for (std::string_view verb : kEnter)
      if (argv[i] == verb) return true;
  return false;
}

}  // namespace

int main(int argc, char** argv, char** envp) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  nsbox::runtime::install_memory_hooks();
  if (command == "init"sv) return nsbox::run_init(kChannel);
  if (command == "janitor"sv) return nsbox::runtime::run_janitor(kChannel);
  if (enters(argc, argv))
    if (auto done = nsbox::run_from_own_copy(argv, envp); !done)
      return nsbox::runtime::tell_start_failure(done.error());
  return nsbox::runtime::run_verb(argc, argv, envp);
}
