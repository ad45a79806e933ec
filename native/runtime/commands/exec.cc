#include "core/container/exec.h"

#include <signal.h>

#include "core/base/text.h"
#include "core/container/bundle_config.h"
#include "core/container/listener.h"
#include "core/container/pid_file.h"
#include "core/spec/parse.h"
#include "core/sys/syscalls.h"
#include "runtime/callers_files.h"
#include "runtime/foreground.h"
#include "runtime/input_file.h"
#include "runtime/preserved_fds.h"
#include "runtime/verb.h"

namespace nsbox::runtime {
namespace {

constexpr int kExecFailed = 255;

constexpr OptionSpec kExecOptions[] = {
    {"process", 'p', Takes::kValue, "FILE  the process, as in a configuration; - for standard input"},
    {"detach", 'd', Takes::kNothing, "leave the process to itself"},
    {"pid-file", 0, Takes::kValue, "FILE  gets the process id"},
    {"console-socket", 0, Takes::kValue, "SOCKET  gets the terminal's descriptor"},
    {"pidfd-socket", 0, Takes::kValue, "SOCKET  gets the descriptor of the process"},
    {"tty", 't', Takes::kNothing, "give it a terminal"},
    {"cwd", 0, Takes::kValue, "DIR  its working directory"},
    {"env", 'e', Takes::kValue, "NAME=VALUE  a variable; may be given again"},
    {"user", 'u', Takes::kValue, "UID[:GID]  who it is, by numbers"},
    {"additional-gids", 'g', Takes::kValue, "GID  a further group; may be given again"},
    {"cap", 'c', Takes::kValue, "CAP  a further capability; may be given again"},
    {"no-new-privs", 0, Takes::kNothing, "no exec gives it more than it has"},
    {"apparmor", 0, Takes::kValue, "PROFILE  what it is confined by"},
    {"process-label", 0, Takes::kValue, "LABEL  SELinux's"},
    {"preserve-fds", 0, Takes::kValue, "N  pass on N descriptors from 3 on"},
    {"cgroup", 0, Takes::kValue, "PATH  a group below the container's own"},
    {"ignore-paused", 0, Takes::kNothing, "also in a paused container; it begins when that goes on"},
    {"no-subreaper", 0, Takes::kNothing, ""}};

// What a process's texts point into.
struct Prepared {
  LoadedConfig loaded;
  Arena arena;
  String process_text;
  ProcessSpec process;
  ExecRequest request;
  CallersFiles files;
};

Status read_process(std::string_view path, Prepared& out) {
  auto text = read_input(path);
  if (!text) return text.error().while_doing("the process ", path);
  out.process_text = std::move(*text);
  auto document = json::parse(out.process_text, out.arena);
  if (!document) return document.error().while_doing(path);
  out.process = TRY(parse_process(*document, "process"));
  return Ok{};
}

// "1000", "1000:100"; never a name, which would be looked up in files of the container's.
Status set_user(std::string_view text, ProcessSpec& process) {
  const bool has_group = text.find(':') != std::string_view::npos;
  const auto user = parse_id(cut(text, ':'));
  if (!user) return usage_error("--user: expected UID[:GID], by numbers");
  process.user = *user;
  process.named_user = {};
  if (!has_group) return Ok{};
  const auto group = parse_id(text);
  if (!group) return usage_error("--user: expected UID[:GID], by numbers");
  process.group = *group;
  return Ok{};
}

void set_variable(std::string_view entry, ProcessSpec& process) {
  const std::string_view name = entry.substr(0, entry.find('='));
  std::erase_if(process.env, [&](std::string_view one) {
    return one.starts_with(name) && one.size() > name.size() && one[name.size()] == '=';
  });
  process.env.push_back(entry);
}

void add_capability(std::string_view name, ProcessSpec& process, Log& log) {
  const auto number = capability_number(name);
  if (!number) return log.warn(format("ignoring unknown or unavailable capabilities: [", name, "]"));
  const CapabilityMask mask = CapabilityMask{1} << *number;
  CapabilitySets& sets = process.capabilities;
  sets.bounding |= mask;
  sets.effective |= mask;
  sets.permitted |= mask;
  // An inheritable one would outlive a change of identity (runc 2022-29162); ambient wants it, where there
  // are.
  if (sets.ambient) sets.ambient |= mask, sets.inheritable |= mask;
}

// The container's own process, changed by the options.
Status adapt_process(const Arguments& arguments, ProcessSpec& process, Log& log) {
  for (size_t i = 1; i < arguments.operands().size(); i++) {
    if (i == 1) process.args.clear();
    process.args.push_back(arguments.operand(i));
  }
  process.terminal = arguments.has("tty");
  if (arguments.has("cwd")) process.cwd = arguments.value("cwd");
  if (!process.cwd.starts_with('/')) return usage_error("Cwd must be an absolute path");
  for (std::string_view entry : arguments.values("env")) {
    if (entry.find('=') == std::string_view::npos)
      return usage_error("invalid environment variable: \"", entry, "\"");
    set_variable(entry, process);
  }
  if (arguments.has("user")) TRY(set_user(arguments.value("user"), process));
  for (std::string_view text : arguments.values("additional-gids")) {
    const auto group = parse_id(text);
    if (!group) return usage_error("--additional-gids: expected a group id: ", text);
    process.additional_groups.push_back(*group);
  }
  for (std::string_view name : arguments.values("cap")) add_capability(name, process, log);
  if (arguments.has("no-new-privs")) process.no_new_privileges = true;
  if (arguments.has("apparmor")) process.apparmor_profile = arguments.value("apparmor");
  if (arguments.has("process-label")) process.selinux_label = arguments.value("process-label");
  return Ok{};
}

Status choose_process(const Arguments& arguments, Prepared& out, Log& log) {
  if (arguments.has("process")) {
    TRY(read_process(arguments.value("process"), out));
    if (arguments.has("tty")) out.process.terminal = true;
    return Ok{};
  }
  if (arguments.operands().size() < 2) return usage_error("process args cannot be empty");
  if (!out.loaded.config.process) return Error::invalid("the container has no process to take after");
  out.process = *out.loaded.config.process;
  out.process.rlimits = out.loaded.config.process->rlimits;
  return adapt_process(arguments, out.process, log);
}

// What the caller has asked to be told of the new process.
Status tell_callers(const CallersFiles& files, ExecutedProcess& process) {
  if (!files.pid_file.empty()) TRY(write_pid_file(files.pid_file, process.pid));
  if (files.pidfd_socket) TRY(send_descriptor(files.pidfd_socket.get(), "pidfd", process.pidfd.get()));
  if (!files.console_socket || !process.terminal) return Ok{};
  TRY(send_descriptor(files.console_socket.get(), "/dev/ptmx", process.terminal.get()));
  process.terminal.reset();
  return Ok{};
}

Result<int> exec(Globals& globals, const Arguments& arguments, int& exit_status) {
  const StateDirectory directory = TRY(StateDirectory::open(globals.root, TRY(first_id(arguments))));
  Prepared prepared;
  prepared.loaded = TRY(load_saved_config(directory.fd()));
  TRY(choose_process(arguments, prepared, globals.log));
  prepared.files = TRY(open_callers_files(arguments));
  const bool detached = arguments.has("detach");
  TRY(check_terminal(prepared.files, prepared.process.terminal, detached));
  ExecRequest& request = prepared.request;
  request.process = &prepared.process;
  request.config = &prepared.loaded.config;
  request.sub_group = arguments.value("cgroup");
  request.ignore_paused = arguments.has("ignore-paused");
  request.preserved_fds = TRY(preserved_fds(arguments));
  if (!detached) TRY(take_signals());
  ExecutedProcess process = TRY(exec_in_container(directory, request, exit_status));
  if (auto done = tell_callers(prepared.files, process); !done) {
    (void)sys::pidfd_send_signal(process.pidfd.get(), SIGKILL);
    return done.error();
  }
  if (detached) return 0;
  return stay_with({process.pid, process.pidfd.get(), process.terminal.get()});
}

Result<int> run_exec(Globals& globals, const Arguments& arguments) {
  int exit_status = kExecFailed;
  auto done = exec(globals, arguments, exit_status);
  if (done) return done;
  globals.log.fail(format("exec failed: ", done.error().message()));
  return kExecFailed;
}

}  // namespace

const Verb kExec = {"exec",       "[options] ID COMMAND [ARG...]", "run a further process in a container",
                    kExecOptions, Operands::kIdThenWords,          run_exec};

}  // namespace nsbox::runtime
