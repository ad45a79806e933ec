#include "runtime/find_program.h"

#include "core/base/text.h"
#include "core/sys/syscalls.h"

namespace nsbox::runtime {
namespace {

constexpr int kExecute = 1;  // X_OK

std::optional<String> find_in(std::string_view directories, std::string_view name) {
  while (!directories.empty()) {
    // An empty one would be the working directory, which is nobody's to decide about.
    const std::string_view directory = cut(directories, ':');
    if (!directory.starts_with('/')) continue;
    String path = format(directory, "/", name);
    auto found = sys::statx(AT_FDCWD, path.c_str(), 0, STATX_TYPE);
    if (found && S_ISREG(found->stx_mode) && sys::faccessat2(AT_FDCWD, path.c_str(), kExecute, AT_EACCESS))
      return path;
  }
  return {};
}

}  // namespace

std::optional<String> find_program(const Globals& globals, std::string_view name) {
  if (auto found = find_in(globals.variable("PATH"), name)) return found;
  return find_in("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", name);
}

Vector<std::string_view> environment_of(const Globals& globals) {
  Vector<std::string_view> out;
  for (const char* entry : globals.environment) out.push_back(entry);
  return out;
}

}  // namespace nsbox::runtime
