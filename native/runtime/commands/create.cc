#include "core/container/create.h"

#include <fcntl.h>
#include <linux/prctl.h>

#include <cerrno>

#include "core/base/text.h"
#include "core/container/delete.h"
#include "core/container/listener.h"
#include "core/container/start.h"
#include "core/sys/syscalls.h"
#include "runtime/foreground.h"
#include "runtime/hook_output.h"
#include "runtime/preserved_fds.h"
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
  LoadedConfig loaded;
  String bundle;
  String pid_file, listen_fds;
  UniqueFd console_socket;
  UniqueFd pidfd_socket;
  HookFiles hook_files;
  CreateRequest request;
};

Status check_terminal(const Prepared& prepared, bool detached) {
  const bool terminal = prepared.loaded.config.process->terminal;
  const bool socket = static_cast<bool>(prepared.console_socket);
  if (terminal && !socket && detached)
    return usage_error("cannot allocate tty if runc will detach without setting console socket");
  if (socket && !terminal)
    return usage_error("cannot use console socket if runc will not detach or allocate tty");
  return Ok{};
}

// Paths are the caller's, until we are in the bundle.
Status open_callers_paths(const Arguments& arguments, Prepared& out) {
  if (arguments.has("pid-file")) out.pid_file = TRY(absolute_path(arguments.value("pid-file")));
  if (const std::string_view path = arguments.value("console-socket"); !path.empty())
    out.console_socket = TRY(connect_to_socket(path));
  if (const std::string_view path = arguments.value("pidfd-socket"); !path.empty())
    out.pidfd_socket = TRY(connect_to_socket(path));
  return Ok{};
}

Status enter_bundle(const Arguments& arguments, Prepared& out) {
  String config =
      TRY(arguments.has("config") ? absolute_path(arguments.value("config")) : String("config.json"));
  out.bundle = TRY(absolute_path(arguments.value("bundle")));
  if (auto done = sys::chdir(out.bundle.c_str()); !done)
    return done.error().while_doing("enter the bundle ", out.bundle);
  out.bundle = TRY(absolute_path("."));
  out.bundle.truncate(out.bundle.size() - 2);
  if (out.bundle.empty()) out.bundle = String("/");
  out.loaded = TRY(load_config(AT_FDCWD, config));
  return Ok{};
}

// sd_listen_fds(3): the container's program is told of what it got, and is process 1 to itself.
void tell_of_sockets(const Globals& globals, Prepared& out) {
  const auto count = parse_unsigned(globals.variable("LISTEN_FDS"));
  if (!count || *count == 0) return;
  out.listen_fds = format("LISTEN_FDS=", *count);
  out.loaded.config.process->env.push_back(out.listen_fds);
  out.loaded.config.process->env.push_back("LISTEN_PID=1");
}

Status prepare(Globals& globals, const Arguments& arguments, bool detached, Prepared& out) {
  CreateRequest& request = out.request;
  request.id = TRY(only_id(arguments));
  request.root = globals.root;
  request.manager = globals.manager;
  request.bus = globals.bus;
  request.environment = globals.bus_environment;
  request.preserved_fds = TRY(preserved_fds(arguments, globals.variable("LISTEN_FDS")));
  TRY(open_callers_paths(arguments, out));
  TRY(enter_bundle(arguments, out));
  tell_of_sockets(globals, out);
  TRY(check_terminal(out, detached));
  out.hook_files = TRY(open_hook_files(out.loaded.config.annotations));
  request.bundle = out.bundle;
  request.loaded = &out.loaded;
  request.console_socket = out.console_socket.get();
  request.pidfd_socket = out.pidfd_socket.get();
  request.pid_file = out.pid_file;
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
  Vector<String> warnings;
  if (auto done = delete_container(
          created.directory,
          {.mode = DeleteMode::kForce, .hook_output = output, .environment = globals.bus_environment},
          warnings);
      !done)
    warnings.push_back(done.error().message());
  for (const String& warning : warnings) globals.log.warn(warning);
}

Result<int> run_run(Globals& globals, const Arguments& arguments) {
  const bool detached = arguments.has("detach");
  Prepared prepared;
  TRY(prepare(globals, arguments, detached, prepared));
  prepared.request.start = true;
  if (!detached) {
    if (!arguments.has("no-subreaper")) (void)sys::prctl(PR_SET_CHILD_SUBREAPER, 1);
    TRY(take_signals());
  }
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
