#include "runtime/hook_output.h"

#include <fcntl.h>

#include "core/sys/syscalls.h"

namespace nsbox::runtime {
namespace {

Status take(HookFiles& files, std::string_view name, std::string_view path) {
  UniqueFd* const place = name == "run.oci.hooks.stdout"   ? &files.out
                          : name == "run.oci.hooks.stderr" ? &files.err
                                                           : nullptr;
  if (!place) return Ok{};
  auto file = sys::open(String(path).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY, 0600);
  if (!file) return file.error().while_doing("open ", path, ", which the annotation ", name, " names");
  *place = std::move(*file);
  return Ok{};
}

}  // namespace

Result<HookFiles> open_hook_files(const Vector<Annotation>& annotations) {
  HookFiles files;
  for (const Annotation& one : annotations) TRY(take(files, one.name, one.value));
  return files;
}

Result<HookFiles> open_hook_files(const State& state) {
  HookFiles files;
  for (const StateAnnotation& one : state.annotations) TRY(take(files, one.name, one.value));
  return files;
}

}  // namespace nsbox::runtime
