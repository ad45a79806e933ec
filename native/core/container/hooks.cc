#include "core/container/hooks.h"

#include <cerrno>

#include "core/base/text.h"
#include "core/process/program.h"

namespace nsbox {
namespace {

Status run_hook(const Hook& hook, std::string_view state, const HookOutput& output) {
  const std::string_view name_alone[] = {hook.path};
  std::span<const std::string_view> args = hook.args;
  if (args.empty()) args = name_alone;
  ProgramRequest request = {.path = hook.path, .args = args, .env = hook.env, .input = state};
  request.output = output.output;
  request.error_output = output.error_output;
  if (hook.timeout_seconds) request.timeout_ns = uint64_t{*hook.timeout_seconds} * 1'000'000'000;
  auto end = run_program(request);
  if (!end) return end.error().while_doing(hook.path);
  if (end->succeeded()) return Ok{};
  if (end->timed_out)
    return Error::plain(ETIMEDOUT, "hook ran past specified timeout of ", *hook.timeout_seconds, ".0s");
  return Error::plain(ECHILD, end->how(), ", stdout: ", trim(end->output),
                      ", stderr: ", trim(end->error_output));
}

}  // namespace

Status run_hooks(std::string_view kind, const Vector<Hook>& hooks, std::string_view state,
                 const HookOutput& output) {
  for (size_t i = 0; i < hooks.size(); i++) TRY(run_one_hook(kind, hooks, i, state, output));
  return Ok{};
}

Status run_one_hook(std::string_view kind, const Vector<Hook>& hooks, size_t index, std::string_view state,
                    const HookOutput& output) {
  auto done = run_hook(hooks[index], state, output);
  if (!done) return done.error().while_doing("error running ", kind, " hook #", index);
  return Ok{};
}

}  // namespace nsbox
