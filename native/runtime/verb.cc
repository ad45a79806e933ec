#include "runtime/verb.h"

#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox::runtime {

std::string_view Globals::variable(std::string_view name) const {
  for (const char* entry : environment) {
    const std::string_view text(entry);
    if (text.size() > name.size() && text.starts_with(name) && text[name.size()] == '=')
      return text.substr(name.size() + 1);
  }
  return {};
}

Result<std::string_view> first_id(const Arguments& arguments) {
  if (arguments.operands().empty()) return usage_error("container id cannot be empty");
  TRY(check_id(arguments.operand(0)));
  return arguments.operand(0);
}

Result<std::string_view> only_id(const Arguments& arguments) {
  const std::string_view id = TRY(first_id(arguments));
  if (arguments.operands().size() > 1)
    return usage_error("unexpected argument after the container id: ", arguments.operand(1));
  return id;
}

Status print(std::string_view text) {
  auto done = write_all(1, text.data(), text.size());
  if (!done) return done.error().while_doing("write to standard output");
  return Ok{};
}

Result<String> absolute_path(std::string_view path) {
  if (path.starts_with('/')) return String(path);
  char directory[4096];
  auto size = sys::getcwd(directory, sizeof directory);
  if (!size) return size.error().while_doing("find out the working directory");
  const std::string_view here(directory);
  return format(here, here.ends_with('/') ? "" : "/", path);
}

}  // namespace nsbox::runtime
