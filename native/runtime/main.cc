#include <cstring>
#include <string_view>

#include "core/container/init.h"
#include "core/sys/syscalls.h"
#include "runtime/commands/janitor.h"
#include "runtime/support/heap.h"

namespace {

constexpr std::string_view kUsage =
    "usage: nsbox-runtime COMMAND\n"
    "  init      PID 1 of a box; started by the nsbox library\n"
    "  janitor   clears what a killed starter leaves behind; started by the nsbox library\n"
    "  version   tells the version\n";

int print(int fd, std::string_view text) {
  (void)nsbox::sys::write(fd, text.data(), text.size());
  return fd == 1 ? 0 : 1;
}

// The library's own commands speak on this descriptor, and on no other that they were not handed.
constexpr int kChannel = 3;

}  // namespace

int main(int argc, char** argv, char**) {
  nsbox::runtime::install_memory_hooks();
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "init") return nsbox::run_init(kChannel);
  if (command == "janitor") return nsbox::runtime::run_janitor(kChannel);
  if (command == "version" || command == "--version") return print(1, "nsbox-runtime " NSBOX_VERSION "\n");
  if (command == "--help" || command == "-h") return print(1, kUsage);
  return print(2, kUsage);
}
