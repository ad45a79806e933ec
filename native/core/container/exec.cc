#include "core/container/exec.h"

#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/base/text.h"
#include "core/container/container_terminal.h"
#include "core/container/create_protocol.h"
#include "core/container/groups.h"
#include "core/container/join.h"
#include "core/container/listener.h"
#include "core/container/new_process.h"
#include "core/container/status.h"
#include "core/process/channel.h"
#include "core/security/keyring.h"
#include "core/security/process_attributes.h"
#include "core/security/scheduling.h"
#include "core/sys/beneath.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr size_t kLargestFilter = size_t{64} * 1024;

class Execution {
 public:
  Execution(const StateDirectory& directory, const ExecRequest& request)
      : directory_(directory), request_(request), process_(*request.process) {}

  Result<ExecutedProcess> run(int& exit_status) {
    TRY(open_container());
    TRY(read_filter());
    TRY(open_groups_of_container());
    TRY(clone_child());
    auto done = converse();
    exit_status = exit_status_;
    if (!done) {
      (void)sys::pidfd_send_signal(pidfd_.get(), SIGKILL);
      (void)sys::wait4(pid_, nullptr, __WALL, nullptr);
      return done.error();
    }
    return ExecutedProcess{pid_, std::move(pidfd_), std::move(terminal_)};
  }

 private:
  Status open_container() {
    state_ = TRY(directory_.read());
    const ContainerStatus status = TRY(current_status(directory_, state_));
    if (status == ContainerStatus::kStopped || status == ContainerStatus::kCreating)
      return Error::plain(ESRCH, "cannot exec in a stopped container");
    if (status == ContainerStatus::kPaused && !request_.ignore_paused)
      return Error::plain(EBUSY, "cannot exec in a paused container (use --ignore-paused to override)");
    container_ = TRY(sys::pidfd_open(state_.init.pid, 0));
    if (!is_alive(state_.init)) return Error::plain(ESRCH, "cannot exec in a stopped container");
    proc_ = TRY(sys::open("/proc", O_PATH | O_DIRECTORY));
    return Ok{};
  }

  Status read_filter() {
    auto text = read_file_at(directory_.fd(), "seccomp.bpf", kLargestFilter);
    if (text.err() == ENOENT) return Ok{};
    filter_text_ = TRY(std::move(text));
    if (!state_.filter_listens || !request_.config) return Ok{};
    std::string_view path = request_.config->seccomp_listener_path;
    for (const StateAnnotation& one : state_.annotations)
      if (one.name.view() == "run.oci.seccomp.receiver") path = one.value;
    listener_socket_ = TRY(connect_to_socket(path));
    return Ok{};
  }

  Status open_groups_of_container() {
    groups_ = TRY(open_groups(state_));
    if (!request_.sub_group.empty()) TRY(enter_sub_group());
    entrances_ = TRY(open_entrances(groups_, cgroup::Skip::kUnified));
    return Ok{};
  }

  // "PATH" in every hierarchy, or "CONTROLLER[,CONTROLLER...]:PATH" in those of v1 that have them.
  Status enter_sub_group() {
    std::string_view path = request_.sub_group;
    cgroup::Controllers wanted = cgroup::Controllers::all();
    if (const size_t colon = path.find(':'); colon != std::string_view::npos) {
      wanted = TRY(controllers_in(path.substr(0, colon)));
      if (const cgroup::Controllers lacking = wanted - groups_.controllers(); !lacking.empty())
        return Error::plain(ENOENT, "--cgroup: the container has no cgroup of ", cgroup::names_of(lacking));
      path.remove_prefix(colon + 1);
    }
    while (path.starts_with('/')) path.remove_prefix(1);
    for (std::string_view rest = path; !rest.empty();)
      if (cut(rest, '/') == "..")
        return Error::invalid("--cgroup: ", path, " leads out of the container's group");
    for (cgroup::Hierarchy& each : groups_.hierarchies) {
      if (path.empty()) break;
      if (!each.controllers.has_any(wanted)) continue;
      auto dir = open_in_root(each.dir.get(), path, O_PATH | O_DIRECTORY);
      if (!dir) return dir.error().while_doing("open the cgroup ", request_.sub_group, " of the container");
      each.dir = std::move(*dir);
    }
    return Ok{};
  }

  static Result<cgroup::Controllers> controllers_in(std::string_view names) {
    cgroup::Controllers out;
    while (!names.empty()) {
      const std::string_view name = cut(names, ',');
      const auto one = cgroup::controller_named(name);
      if (!one) return Error::invalid("--cgroup: unknown controller ", name);
      out = out | cgroup::Controllers{*one};
    }
    return out;
  }

  // For the child that comes next.
  Status join_processes() {
    auto done = sys::setns(container_.get(), CLONE_NEWPID);
    // An ordinary user may do so as the root of the container's user namespace, which has the same id
    // outside.
    if (done.err() == EPERM && (state_.namespaces & CLONE_NEWUSER))
      done = sys::setns(container_.get(), CLONE_NEWUSER | CLONE_NEWPID);
    if (!done) return done.error().while_doing("join the container's processes");
    return Ok{};
  }

  Status clone_child() {
    int ends[2];
    TRY(sys::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
    channel_ = UniqueFd(ends[0]);
    theirs_ = UniqueFd(ends[1]);
    if (!process_.initial_affinity.empty()) TRY(set_cpu_affinity(process_.initial_affinity));
    // The child inherits it; once in the container's user namespace, nobody here may write it.
    if (sys::geteuid() != 0) TRY(pass_oom_score_on());
    if (state_.namespaces & CLONE_NEWPID) TRY(join_processes());
    int pidfd = -1;
    clone_args args = {};
    args.flags = CLONE_PIDFD;
    args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
    args.exit_signal = SIGCHLD;
    if (const int unified = groups_.unified(); unified >= 0) {
      args.flags |= CLONE_INTO_CGROUP;
      args.cgroup = static_cast<uint64_t>(unified);
    }
    auto pid = sys::clone3(args);
    if (!pid) return pid.error().while_doing("start a process in the container");
    if (*pid == 0) be_child();
    pid_ = *pid;
    pidfd_ = UniqueFd(pidfd);
    theirs_.reset();
    return Ok{};
  }

  // The child, from here on.
  [[noreturn]] void be_child() {
    channel_.reset();
    auto done = become();
    const int exit_status = new_process_ ? new_process_->exit_status() : 125;
    (void)tell({.step = CreateStep::kFailed, .err = done.err(), .exit_status = exit_status},
               done.error().message().view());
    sys::exit(255);
  }

  Status become() {
    TRY(sys::prctl(PR_SET_PDEATHSIG, SIGKILL));
    TRY(sys::prctl(PR_SET_DUMPABLE, 0));
    for (int signal = 1; signal <= 64; signal++) (void)sys::sigdefault(signal);
    for (const UniqueFd& entrance : entrances_)
      if (auto done = sys::write(entrance.get(), "0", 1); !done)
        return done.error().while_doing("enter the container's cgroup");
    TRY(join_container(container_.get(), state_.namespaces & ~uint64_t{CLONE_NEWPID}));
    if (state_.new_keyring) TRY(join_session_keyring(session_keyring_name(state_.id).c_str()));
    root_ = TRY(sys::open("/", O_PATH | O_DIRECTORY));
    TRY(prepare());
    TRY(tell({.step = CreateStep::kReady}, {}, terminal_.get()));
    TRY(wait_for_go());
    (void)sys::prctl(PR_SET_PDEATHSIG, 0);
    context_.needed_fds[0] = theirs_.get();
    context_.needed_fds[1] = listener_socket_.get();
    return new_process_->execute();
  }

  // As long as this process may write its own.
  Status pass_oom_score_on() {
    if (!process_.oom_score_adj) return Ok{};
    UniqueFd self = TRY(sys::open("/proc/self", O_PATH | O_DIRECTORY));
    auto done = set_oom_score_adj(self.get(), *process_.oom_score_adj);
    process_.oom_score_adj.reset();
    // An ordinary user may raise it only.
    return done.err() == EACCES ? Status(Ok{}) : std::move(done);
  }

  Status prepare() {
    who_.emplace(TRY(find_identity(process_, root_.get())));
    texts_.emplace(process_, *who_);
    if (process_.terminal) {
      Terminal made = TRY(make_terminal(process_, root_.get(), *who_));
      terminal_ = std::move(made.master);
      slave_ = std::move(made.slave);
      for (int& fd : stdio_) fd = slave_.get();
    }
    if (request_.config) TRY(set_container_attributes(*request_.config));
    if (!process_.final_affinity.empty()) TRY(set_cpu_affinity(process_.final_affinity));
    context_.root = root_.get();
    context_.proc = proc_.get();
    context_.filter = {reinterpret_cast<const sock_filter*>(filter_text_.c_str()),
                       filter_text_.size() / sizeof(sock_filter)};
    context_.filter_options.flags = state_.filter_flags;
    context_.filter_options.listener = state_.filter_listens;
    context_.take_listener = &send_listener_of;
    context_.listener_context = this;
    context_.bounding = TRY(bounding_capabilities());
    context_.clamp_capabilities = true;
    context_.preserved_fds = request_.preserved_fds;
    process_.oom_score_adj.reset();  // Our parent writes it, who may.
    new_process_.emplace(process_, context_, *who_, *texts_, stdio_);
    return new_process_->prepare();
  }

  static Status send_listener_of(void* self, UniqueFd listener) {
    auto& execution = *static_cast<Execution*>(self);
    const String state = public_state(execution.state_, ContainerStatus::kRunning, StateFields::kStandard);
    return send_listener(execution.listener_socket_.get(), listener.get(),
                         execution.request_.config->seccomp_listener_metadata, state,
                         execution.state_.oci_version, execution.host_pid_);
  }

  static Status set_container_attributes(const Config& config) {
    if (config.personality) TRY(set_personality(*config.personality));
    if (!config.memory_policy) return Ok{};
    return set_memory_policy(config.memory_policy->mode | config.memory_policy->flags,
                             config.memory_policy->nodes);
  }

  Status wait_for_go() {
    char buffer[sizeof(CreateMessage)];
    const Message got = TRY(receive_message(theirs_.get(), buffer));
    if (got.size == 0) sys::exit(255);
    CreateMessage message;
    memcpy(&message, buffer, sizeof message);
    host_pid_ = message.pid;
    return Ok{};
  }

  Status tell(const CreateMessage& message, std::string_view text = {}, int fd = -1) {
    const std::string_view parts[] = {{reinterpret_cast<const char*>(&message), sizeof message}, text};
    return send_message(theirs_ ? theirs_.get() : channel_.get(), parts, {&fd, fd >= 0 ? 1U : 0U});
  }

  // The parent's side: ready, go, and the end of the channel at the exec.
  Status converse() {
    Message ready;
    if (!TRY(receive(&ready)))
      return Error::plain(ECHILD, "the process died before it was ready (was it killed, or out of memory?)");
    if (!ready.fds.empty()) terminal_ = std::move(ready.fds[0]);
    TRY(enter_later_groups());
    if (process_.oom_score_adj) TRY(set_oom_score(*process_.oom_score_adj));
    TRY(tell({.step = CreateStep::kStart, .pid = pid_}));
    TRY(receive(nullptr));
    return Ok{};
  }

  // Those that pause or update has made since we looked. Whoever writes the state from here on finds the
  // process in the other groups, and moves it.
  Status enter_later_groups() {
    if (state_.further_groups.empty()) return Ok{};
    State now = TRY(directory_.read());
    const Vector<GroupPath>& known = state_.groups;
    std::erase_if(now.groups, [&](const GroupPath& one) {
      return std::any_of(known.begin(), known.end(),
                         [&](const GroupPath& each) { return each.path.view() == one.path.view(); });
    });
    auto done = cgroup::attach(TRY(open_groups(now)), pid_);
    // A group of processors that is still without any takes nobody, and has its processes moved there yet.
    return done.err() == ENOSPC ? Status(Ok{}) : std::move(done);
  }

  Status set_oom_score(int score) {
    UniqueFd self = TRY(sys::openat(proc_.get(), format(pid_).c_str(), O_PATH | O_DIRECTORY));
    auto done = set_oom_score_adj(self.get(), score);
    if (done.err() == EACCES && sys::geteuid() != 0) return Ok{};
    return done;
  }

  // False at the channel's end.
  Result<bool> receive(Message* out) {
    char buffer[8192];
    Message got = TRY(receive_message(channel_.get(), buffer));
    CreateMessage message;
    if (got.size < sizeof message) return false;
    memcpy(&message, buffer, sizeof message);
    if (message.step == CreateStep::kFailed) {
      exit_status_ = message.exit_status;
      return Error::plain(message.err, "unable to start container process: ",
                          std::string_view(buffer + sizeof message, got.size - sizeof message));
    }
    if (out) *out = std::move(got);
    return true;
  }

  const StateDirectory& directory_;
  const ExecRequest& request_;
  ProcessSpec process_;
  State state_;
  String filter_text_;
  cgroup::GroupSet groups_;
  Vector<UniqueFd> entrances_;
  UniqueFd container_, proc_, channel_, theirs_, pidfd_, terminal_, slave_, root_;
  pid_t pid_ = -1;
  pid_t host_pid_ = 0;  // In the child: its own, as the host has it.
  UniqueFd listener_socket_;
  int exit_status_ = 125;
  int stdio_[3] = {0, 1, 2};
  std::optional<Identity> who_;
  std::optional<ExecTexts> texts_;
  ProcessContext context_;
  std::optional<NewProcess> new_process_;
};

}  // namespace

Result<ExecutedProcess> exec_in_container(const StateDirectory& directory, const ExecRequest& request,
                                          int& exit_status) {
  exit_status = 125;
  return Execution(directory, request).run(exit_status);
}

}  // namespace nsbox
