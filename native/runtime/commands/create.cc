#include "core/container/create.h"

#include "core/base/text.h"
#include "core/container/start.h"
#include "runtime/bundle.h"
#include "runtime/callers_files.h"
#include "runtime/foreground.h"
#include "runtime/hook_output.h"
#include "runtime/preserved_fds.h"
#include "runtime/remove.h"
#include "runtime/verb.h"

namespace nsbox::runtime {
namespace {

#define NSBOX_CREATE_OPTIONS                                                                            \
  {"bundle", 'b', Takes::kValue, "DIR  the bundle (default: the working directory)"},                   \
      {"config", 'f', Takes::kValue, "FILE  the configuration (default: config.json of the bundle)"},   \
      {"console-socket", 0, Takes::kValue, "SOCKET  gets the terminal's descriptor"},                   \
      {"pidfd-socket", 0, Takes::kValue, "SOCKET  gets the descriptor of the container's process"},     \
      {"pid-file", 0, Takes::kValue, "FILE  gets the process id"},                                      \
      {"no-pivot", 0, Takes::kNothing, "move the root instead of pivot_root, for a caller on a ramfs"}, \
      {"no-new-keyring", 0, Takes::kNothing, "keep the caller's session keyring"}, {                    \
    "preserve-fds", 0, Takes::kValue, "N  pass on N descriptors from 3 on"                              \
  }

constexpr OptionSpec kCreateOptions[] = {NSBOX_CREATE_OPTIONS};
constexpr OptionSpec kRunOptions[] = {
    NSBOX_CREATE_OPTIONS,
    {"detach", 'd', Takes::kNothing, "leave the container to itself"},
    {"keep", 0, Takes::kNothing, "do not delete the container when it has ended"},
    {"no-subreaper", 0, Takes::kNothing, "do not adopt what the container's processes leave behind"}};

// What a request points into.
struct Prepared {
  CallersFiles files;
  Bundle bundle;
  String listen_fds;
  HookFiles hook_files;
  CreateRequest request;
};

// sd_listen_fds(3): the container's program is told of what it got, and is process 1 to itself.
void tell_of_sockets(const Globals& globals, Prepared& out) {
  const auto count = parse_unsigned(globals.variable("LISTEN_FDS"));
  if (!count || *count == 0) return;
  out.listen_fds = format("LISTEN_FDS=", *count);
  out.bundle.loaded.config.process->env.push_back(out.listen_fds);
  out.bundle.loaded.config.process->env.push_back("LISTEN_PID=1");
}

Status prepare(Globals& globals, const Arguments& arguments, bool detached, Prepared& out) {
  CreateRequest& request = out.request;
  TRY(name_container(globals, arguments, request));
  request.preserved_fds = TRY(preserved_fds(arguments, globals.variable("LISTEN_FDS")));
  out.files = TRY(open_callers_files(arguments));
  out.bundle = TRY(enter_bundle(arguments));
  tell_of_sockets(globals, out);
  const Config& config = out.bundle.loaded.config;
  TRY(check_terminal(out.files, config.process->terminal, detached));
  out.hook_files = TRY(open_hook_files(config.annotations));
  request.bundle = out.bundle.path;
  request.loaded = &out.bundle.loaded;
  request.console_socket = out.files.console_socket.get();
  request.pidfd_socket = out.files.pidfd_socket.get();
  request.pid_file = out.files.pid_file;
  request.new_keyring = !arguments.has("no-new-keyring");
  request.root_entry = arguments.has("no-pivot") ? RootEntry::kMove : RootEntry::kPivot;
  request.hook_output = out.hook_files.output();
  return Ok{};
}

Result<CreatedContainer> create(Globals& globals, const Prepared& prepared) {
  auto created = create_container(prepared.request);
  if (created)
    for (const String& warning : created->warnings) globals.log.warn(warning);
  return created;
}

Result<int> run_create(Globals& globals, const Arguments& arguments) {
  Prepared prepared;
  TRY(prepare(globals, arguments, true, prepared));
  TRY(create(globals, prepared));
  return 0;
}

// Ends what run has started, whatever it was that went wrong.
void clear(Globals& globals, const CreatedContainer& created, const HookOutput& output) {
  if (auto done = remove_container(globals, created.directory, DeleteMode::kForce, output); !done)
    globals.log.warn(done.error().message());
}

Result<int> run_run(Globals& globals, const Arguments& arguments) {
  const bool detached = arguments.has("detach");
  Prepared prepared;
  TRY(prepare(globals, arguments, detached, prepared));
  prepared.request.start = true;
  if (!detached) TRY(take_signals_and_orphans(arguments));
  CreatedContainer created = TRY(create(globals, prepared));
  const HookOutput& output = prepared.request.hook_output;
  if (auto done = run_poststart(created.directory, created.state, output); !done) {
    clear(globals, created, output);
    return done.error();
  }
  if (detached) return 0;
  auto end = stay_with({created.state.init.pid, created.pidfd.get(), created.terminal.get()});
  if (!arguments.has("keep") || !end) clear(globals, created, output);
  return end;
}

}  // namespace

const Verb kCreate = {
    "create",       "[options] ID",   "make a container, up to where its program is about to start",
    kCreateOptions, Operands::kMixed, run_create};
const Verb kRun = {"run",       "[options] ID",   "make a container, run it to its end and delete it",
                   kRunOptions, Operands::kMixed, run_run};

}  // namespace nsbox::runtime
