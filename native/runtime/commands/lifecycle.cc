#include <cerrno>

#include "core/container/kill.h"
#include "core/container/start.h"
#include "runtime/hook_output.h"
#include "runtime/json_text.h"
#include "runtime/pattern.h"
#include "runtime/remove.h"
#include "runtime/verb.h"

namespace nsbox::runtime {
namespace {

constexpr OptionSpec kKillOptions[] = {
    {"all", 'a', Takes::kNothing, "to all processes of the container"},
    {"regex", 'r', Takes::kNothing, "to every container whose id matches the pattern ID"}};
constexpr OptionSpec kDeleteOptions[] = {
    {"force", 'f', Takes::kNothing,
     "end the container first, and find nothing wrong with one that is not there"},
    {"regex", 'r', Takes::kNothing, "every container whose id matches the pattern ID"}};

Result<int> run_start(Globals& globals, const Arguments& arguments) {
  const StateDirectory directory = TRY(StateDirectory::open(globals.root, TRY(only_id(arguments))));
  const State state = TRY(directory.read());
  const HookFiles files = TRY(open_hook_files(state));
  TRY(start_container(directory, files.output()));
  return 0;
}

Result<int> run_state(Globals& globals, const Arguments& arguments) {
  const StateDirectory directory = TRY(StateDirectory::open(globals.root, TRY(only_id(arguments))));
  const State state = TRY(directory.read());
  const ContainerStatus status = TRY(current_status(directory, state));
  TRY(print(indented_json(public_state(state, status, StateFields::kVerbose))));
  return 0;
}

// The ids that a verb is for: the one that is named, or all that match.
Result<Vector<String>> chosen_ids(const Globals& globals, const Arguments& arguments) {
  Vector<String> out;
  if (!arguments.has("regex")) {
    out.push_back(String(TRY(first_id(arguments))));
    return out;
  }
  if (arguments.operands().empty()) return usage_error("--regex: the pattern is missing");
  const Pattern pattern = TRY(Pattern::parse(arguments.operand(0)));
  for (String& id : TRY(list_ids(globals.root)))
    if (pattern.matches(id)) out.push_back(std::move(id));
  return out;
}

Status kill_one(const Globals& globals, std::string_view id, int signal, KillScope scope) {
  const StateDirectory directory = TRY(StateDirectory::open(globals.root, id));
  return kill_container(directory, TRY(directory.read()), signal, scope);
}

// Each of those that match is tried; what went wrong last is told.
Result<int> run_kill(Globals& globals, const Arguments& arguments) {
  const std::string_view name = arguments.operands().size() > 1 ? arguments.operand(1) : "SIGTERM";
  const Vector<String> ids = TRY(chosen_ids(globals, arguments));
  if (arguments.operands().size() > 2) return usage_error("unexpected argument: ", arguments.operand(2));
  const auto signal = parse_signal(name);
  if (!signal) return usage_error("unknown signal \"", name, "\"");
  const KillScope scope = arguments.has("all") ? KillScope::kAll : KillScope::kInit;
  Status all = Ok{};
  for (const String& id : ids)
    if (auto done = kill_one(globals, id, *signal, scope); !done) all = std::move(done);
  if (!all) return all.error();
  return 0;
}

Status delete_one(Globals& globals, std::string_view id, DeleteMode mode) {
  auto directory = StateDirectory::open(globals.root, id);
  if (directory.err() == ENOENT && mode == DeleteMode::kForce) return Ok{};
  if (!directory) return directory.error();
  HookFiles files;
  if (auto state = directory->read()) files = TRY(open_hook_files(*state));
  return remove_container(globals, *directory, mode, files.output());
}

Result<int> run_delete(Globals& globals, const Arguments& arguments) {
  const DeleteMode mode = arguments.has("force") ? DeleteMode::kForce : DeleteMode::kStoppedOnly;
  Status all = Ok{};
  for (const String& id : TRY(chosen_ids(globals, arguments)))
    if (auto done = delete_one(globals, id, mode); !done) all = std::move(done);
  if (!all) return all.error();
  return 0;
}

}  // namespace

const Verb kStart = {"start",          "ID",     "let a created container's program begin", {},
                     Operands::kMixed, run_start};
const Verb kState = {"state", "ID", "tell a container's state", {}, Operands::kMixed, run_state};
const Verb kKill = {"kill",       "[options] ID [SIGNAL]", "send a signal (default: SIGTERM)",
                    kKillOptions, Operands::kMixed,        run_kill};
const Verb kDelete = {"delete",       "[options] ID",   "remove what is left of a container",
                      kDeleteOptions, Operands::kMixed, run_delete};

}  // namespace nsbox::runtime
