#include "core/container/checkpoint.h"

#include <fcntl.h>

#include <cerrno>

#include "core/base/text.h"
#include "core/container/restore.h"
#include "core/container/start.h"
#include "core/sys/syscalls.h"
#include "runtime/bundle.h"
#include "runtime/find_program.h"
#include "runtime/foreground.h"
#include "runtime/hook_output.h"
#include "runtime/remove.h"
#include "runtime/verb.h"

namespace nsbox::runtime {
namespace {

constexpr const char* kConfigFile = "/etc/criu/nsbox.conf";

#define NSBOX_CRIU_OPTIONS                                                                           \
  {"image-path", 0, Takes::kValue, "DIR  where the images are (default: checkpoint, here)"},         \
      {"work-path", 0, Takes::kValue, "DIR  for criu's log and other files (default: the images')"}, \
      {"tcp-established", 0, Takes::kNothing, "allow open TCP connections"},                         \
      {"ext-unix-sk", 0, Takes::kNothing, "allow Unix sockets with another end outside"},            \
      {"shell-job", 0, Takes::kNothing, "allow a terminal of the caller's"},                         \
      {"lazy-pages", 0, Takes::kNothing, "bring memory over when it is touched (userfaultfd)"},      \
      {"file-locks", 0, Takes::kNothing, "handle file locks"},                                       \
      {"manage-cgroups-mode", 0, Takes::kValue, "soft|full|strict|ignore  (default: soft)"},         \
      {"empty-ns", 0, Takes::kValue, "network  make this namespace, and nothing in it"}, {           \
    "auto-dedup", 0, Takes::kNothing, "remove from earlier images what later ones have"              \
  }

constexpr OptionSpec kCheckpointOptions[] = {
    NSBOX_CRIU_OPTIONS,
    {"parent-path", 0, Takes::kValue, "DIR  an earlier pre-dump, relative to the images"},
    {"leave-running", 0, Takes::kNothing, "let the container go on afterwards"},
    {"tcp-skip-in-flight", 0, Takes::kNothing, "leave out TCP connections that are being made"},
    {"link-remap", 0, Takes::kNothing, "give files without a name one again"},
    {"status-fd", 0, Takes::kValue, "FD  gets a NUL when lazy pages are being served"},
    {"page-server", 0, Takes::kValue, "ADDRESS:PORT  of the server that takes the pages"},
    {"pre-dump", 0, Takes::kNothing, "write the memory alone, and let the container go on"}};

constexpr OptionSpec kRestoreOptions[] = {
    NSBOX_CRIU_OPTIONS,
    {"bundle", 'b', Takes::kValue, "DIR  the bundle (default: the working directory)"},
    {"config", 'f', Takes::kValue, "FILE  the configuration (default: config.json of the bundle)"},
    {"detach", 'd', Takes::kNothing, "leave the container to itself"},
    {"pid-file", 0, Takes::kValue, "FILE  gets the process id"},
    {"console-socket", 0, Takes::kValue, ""},
    {"no-subreaper", 0, Takes::kNothing, "do not adopt what the container's processes leave behind"},
    {"no-pivot", 0, Takes::kNothing, ""},
    {"lsm-profile", 0, Takes::kValue, "TYPE:NAME  another AppArmor profile or SELinux label"},
    {"lsm-mount-context", 0, Takes::kValue, "TEXT  another SELinux context of mounts"}};

// What the options point into.
struct Criu {
  String program, image_path, work_path;
  Vector<std::string_view> environment;
  CriuOptions options;
};

Status read_paths(const Arguments& arguments, Criu& out) {
  out.image_path = TRY(absolute_path(arguments.value("image-path", "checkpoint")));
  if (arguments.has("work-path")) out.work_path = TRY(absolute_path(arguments.value("work-path")));
  out.options.image_path = out.image_path;
  out.options.work_path = out.work_path;
  out.options.parent_path = arguments.value("parent-path");
  if (out.options.parent_path.starts_with('/'))
    return usage_error("--parent-path: expected a path relative to the images");
  return Ok{};
}

Status read_mode(const Arguments& arguments, CriuOptions& out) {
  out.manage_cgroups = arguments.value("manage-cgroups-mode", "soft");
  for (const std::string_view known : {"soft", "full", "strict", "ignore"})
    if (out.manage_cgroups == known) return Ok{};
  return usage_error("Invalid manage-cgroups-mode value: ", out.manage_cgroups);
}

Status read_page_server(const Arguments& arguments, CriuOptions& out) {
  const std::string_view text = arguments.value("page-server");
  if (text.empty()) return Ok{};
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !parse_unsigned(text.substr(colon + 1)))
    return usage_error("Use --page-server ADDRESS:PORT to specify page server");
  out.page_server_address = text.substr(0, colon);
  out.page_server_port = text.substr(colon + 1);
  return Ok{};
}

Status read_status_fd(const Arguments& arguments, CriuOptions& out) {
  if (!arguments.has("status-fd")) return Ok{};
  const auto fd = parse_unsigned(arguments.value("status-fd"));
  if (!fd || *fd > INT32_MAX || !sys::fcntl(static_cast<int>(*fd), F_GETFD, 0))
    return usage_error("invalid --status-fd argument ", arguments.value("status-fd"));
  out.status_fd = static_cast<int>(*fd);
  return Ok{};
}

void read_switches(const Arguments& arguments, CriuOptions& out) {
  out.leave_running = arguments.has("leave-running");
  out.pre_dump = arguments.has("pre-dump");
  out.tcp_established = arguments.has("tcp-established");
  out.tcp_skip_in_flight = arguments.has("tcp-skip-in-flight");
  out.link_remap = arguments.has("link-remap");
  out.external_unix_sockets = arguments.has("ext-unix-sk");
  out.shell_job = arguments.has("shell-job");
  out.lazy_pages = arguments.has("lazy-pages");
  out.file_locks = arguments.has("file-locks");
  out.auto_dedup = arguments.has("auto-dedup");
  out.lsm_profile = arguments.value("lsm-profile");
  out.lsm_mount_context = arguments.value("lsm-mount-context");
}

Status read_options(const Globals& globals, const Arguments& arguments, Criu& out) {
  TRY(read_paths(arguments, out));
  TRY(read_mode(arguments, out.options));
  TRY(read_page_server(arguments, out.options));
  TRY(read_status_fd(arguments, out.options));
  for (const std::string_view type : arguments.values("empty-ns")) {
    if (type != "network") return usage_error("namespace ", type, " is not supported");
    out.options.empty_network = true;
  }
  read_switches(arguments, out.options);
  auto program = find_program(globals, "criu");
  if (!program) return Error::plain(ENOENT, "criu is not installed: no program of that name is in $PATH");
  out.program = std::move(*program);
  out.options.program = out.program;
  out.environment = environment_of(globals);
  out.options.environment = out.environment;
  return Ok{};
}

// The annotation's file, or none where it is empty; without the annotation, one for all containers.
template <typename Annotations>
std::string_view config_file_of(const Annotations& annotations) {
  for (const auto& one : annotations)
    if (std::string_view(one.name) == "org.criu.config") return one.value;
  return sys::faccessat2(AT_FDCWD, kConfigFile, 4 /* R_OK */, 0) ? kConfigFile : "";
}

Status clear(Globals& globals, const StateDirectory& directory, const State& state) {
  const HookFiles files = TRY(open_hook_files(state));
  return remove_container(globals, directory, DeleteMode::kForce, files.output());
}

Result<int> run_checkpoint(Globals& globals, const Arguments& arguments) {
  const StateDirectory directory = TRY(StateDirectory::open(globals.root, TRY(only_id(arguments))));
  const State state = TRY(directory.read());
  if (living_pid(state, TRY(current_status(directory, state))) == 0)
    return Error::plain(ESRCH, "container cannot be checkpointed in stopped state");
  Criu criu;
  TRY(read_options(globals, arguments, criu));
  criu.options.config_file = config_file_of(state.annotations);
  TRY(checkpoint_container(directory, criu.options));
  if (!criu.options.leave_running && !criu.options.pre_dump) TRY(clear(globals, directory, state));
  return 0;
}

Result<int> run_restore(Globals& globals, const Arguments& arguments) {
  RestoreRequest request;
  TRY(name_container(globals, arguments, request));
  Criu criu;
  TRY(read_options(globals, arguments, criu));
  String pid_file;
  if (arguments.has("pid-file")) pid_file = TRY(absolute_path(arguments.value("pid-file")));
  request.pid_file = pid_file;
  Bundle bundle = TRY(enter_bundle(arguments));
  request.bundle = bundle.path;
  request.loaded = &bundle.loaded;
  request.criu = criu.options;
  request.criu.config_file = config_file_of(bundle.loaded.config.annotations);
  const bool detached = arguments.has("detach");
  if (!detached) TRY(take_signals_and_orphans(arguments));
  RestoredContainer restored = TRY(restore_container(request));
  const HookFiles files = TRY(open_hook_files(restored.state));
  if (auto done = run_poststart(restored.directory, restored.state, files.output()); !done) {
    (void)clear(globals, restored.directory, restored.state);
    return done.error();
  }
  if (detached) return 0;
  auto end = stay_with({restored.state.init.pid, restored.pidfd.get(), -1});
  TRY(clear(globals, restored.directory, restored.state));
  return end;
}

}  // namespace

const Verb kCheckpoint = {
    "checkpoint",       "[options] ID",   "write a running container into images (by criu)",
    kCheckpointOptions, Operands::kMixed, run_checkpoint};
const Verb kRestore = {"restore",       "[options] ID",   "let a container run on from its images (by criu)",
                       kRestoreOptions, Operands::kMixed, run_restore};

}  // namespace nsbox::runtime
