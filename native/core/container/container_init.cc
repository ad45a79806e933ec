#include "core/container/container_init.h"

#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "core/container/container_terminal.h"
#include "core/container/create_protocol.h"
#include "core/container/listener.h"
#include "core/container/new_process.h"
#include "core/container/steps.h"
#include "core/mount/dev.h"
#include "core/net/link.h"
#include "core/ns/namespaces.h"
#include "core/process/channel.h"
#include "core/process/descriptors.h"
#include "core/process/own_copy.h"
#include "core/process/placement.h"
#include "core/security/keyring.h"
#include "core/security/process_attributes.h"
#include "core/security/scheduling.h"
#include "core/sys/beneath.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

class ContainerInit {
 public:
  explicit ContainerInit(const InitRequest& request)
      : request_(request), config_(request.plan->config), process_spec_(*config_.process) {}

  [[noreturn]] void run() {
    auto done = make();
    if (!done) fail(request_.channel, done.error());
    done = wait_until_started();
    if (!done) fail(reply_to_, done.error());
    done = become_program();
    fail(reply_to_, done.error());
  }

 private:
  Status make() {
    TRY(begin());
    TRY(enter_namespaces());
    if (request_.new_keyring) TRY(join_session_keyring(session_keyring_name(request_.state->id).c_str()));
    TRY(name_the_host(config_));
    TRY(receive_mounts());
    RootfsBuilder builder(*request_.plan);
    TRY(builder.build({.network = &join_network_of, .groups = &join_groups_of, .context = this}));
    TRY(hooks_before_entering());
    Rootfs rootfs = TRY(builder.enter(request_.root_entry));
    root_ = std::move(rootfs.root);
    proc_ = std::move(rootfs.proc);
    console_ = std::move(rootfs.console);
    TRY(set_sysctls(config_, rootfs.sysctls.get()));
    // As the user who owns it; what comes now is the process's own and can be told of as its failure.
    if (request_.state_directory >= 0) TRY(StateDirectory::put_in_place(request_.state_directory));
    TRY(prepare_process());
    // From here on the end of the channel is the end of its creator, until all is recorded.
    (void)sys::prctl(PR_SET_PDEATHSIG, 0);
    if (request_.state_directory >= 0) return Ok{};
    return tell(request_.channel, {.step = CreateStep::kReady}, {}, terminal_.master.get());
  }

  Status begin() {
    // Until the state is recorded, nothing but its creator knows of this process.
    TRY(sys::prctl(PR_SET_PDEATHSIG, SIGKILL));
    (void)sys::sigprocmask(SIG_SETMASK, 0);
    raise_oom_score();
    TRY(enter_own_copy());
    for (int signal = 1; signal <= 64; signal++) (void)sys::sigdefault(signal);
    sys::umask(0);
    if (!request_.wait_for_maps) return close_to_the_container();
    TRY(expect(CreateStep::kGo));
    if (request_.make_time_namespace) time_offsets_ = TRY(open_time_offsets());
    TRY(close_to_the_container());
    // Root of the new user namespace, where it has one: what is made below belongs to it.
    if (!request_.keep_groups) (void)sys::setgroups(nullptr, 0);
    (void)sys::setresgid(0);
    (void)sys::setresuid(0);
    TRY(sys::prctl(PR_SET_PDEATHSIG, SIGKILL));  // A change of identity has cleared it.
    return Ok{};
  }

  // The creator sets it, and tells where it cannot; where it is an ordinary user, this process alone may.
  void raise_oom_score() const {
    // Its user id tells nothing: the maps may be written already.
    if (!process_spec_.oom_score_adj || !request_.wait_for_maps) return;
    auto self = sys::open("/proc/self", O_PATH | O_DIRECTORY);
    if (self) (void)set_oom_score_adj(self->get(), *process_spec_.oom_score_adj);
  }

  // From here on nothing of the container can look into this process or trace it.
  static Status close_to_the_container() {
    TRY(sys::prctl(PR_SET_DUMPABLE, 0));
    return Ok{};
  }

  // The kinds that the clone has not made, and those by path but the user's and the processes', which the
  // creator or a go-between has seen to.
  Status enter_namespaces() {
    constexpr uint64_t kElsewhere = CLONE_NEWUSER | CLONE_NEWPID;
    for (const bool mounts : {false, true})
      for (const NamespaceSpec& one : config_.namespaces) {
        if (one.path.empty() || (one.flag & kElsewhere) || (one.flag == CLONE_NEWNS) != mounts) continue;
        TRY(join_namespace(one.path, one.flag));
      }
    TRY(make_namespaces_of_its_own());
    return request_.make_time_namespace ? enter_new_time() : Status(Ok{});
  }

  // It is for the children alone; before Linux 6.3 not even an exec enters it.
  Status enter_new_time() {
    TRY(make_time_namespace(config_.time_offsets, time_offsets_.get()));
    const UniqueFd made = TRY(sys::open("/proc/self/ns/time_for_children", O_RDONLY));
    auto done = sys::setns(made.get(), CLONE_NEWTIME);
    if (!done) return done.error().while_doing("enter the time namespace");
    return Ok{};
  }

  // Here, and not by the clone: they take most of a start's time, in which our creator makes the groups.
  Status make_namespaces_of_its_own() {
    constexpr uint64_t kElsewhere = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWCGROUP | CLONE_NEWTIME;
    uint64_t fresh = 0;
    for (const NamespaceSpec& one : config_.namespaces)
      if (one.path.empty()) fresh |= one.flag & ~kElsewhere;
    if (request_.network_comes) fresh &= ~uint64_t{CLONE_NEWNET};
    if (auto done = sys::unshare(fresh); !done) return done.error().while_doing("make the namespaces");
    return fresh & CLONE_NEWNET ? bring_loopback_up() : Status(Ok{});
  }

  Status receive_mounts() {
    Message message;
    size_t next = 0;
    for (Mount& mount : config_.mounts) {
      if (!mount.prepare) continue;
      if (next == message.fds.size()) {
        TRY(expect(CreateStep::kMounts, &message));
        next = 0;
        if (message.fds.empty()) return Error::invalid("create: a mount is missing");
      }
      prepared_.push_back(std::move(message.fds[next++]));
      mount.prepared = prepared_.back().get();
    }
    return Ok{};
  }

  static Status join_network_of(void* self) { return static_cast<ContainerInit*>(self)->join_network(); }

  Status join_network() {
    if (!request_.network_comes) return Ok{};
    Message message;
    TRY(expect(CreateStep::kNetwork, &message));
    if (message.fds.empty()) return Error::invalid("create: the network is missing");
    auto done = sys::setns(message.fds[0].get(), CLONE_NEWNET);
    if (!done) return done.error().while_doing("enter the network namespace");
    return bring_loopback_up();
  }

  static Status join_groups_of(void* self) { return static_cast<ContainerInit*>(self)->join_groups(); }

  Status join_groups() {
    Message message;
    char lines[kMaxGroupLines];
    TRY(expect(CreateStep::kGroups, &message, lines));
    const std::string_view mountinfo(lines, message.size - sizeof(CreateMessage));
    for (const UniqueFd& entrance : message.fds)
      if (auto done = sys::write(entrance.get(), "0", 1); !done)
        return done.error().while_doing("enter the container's cgroup");
    request_.plan->cgroup_layout =
        visible_groups(cgroup::parse_layout(mountinfo, TRY(read_file_at(AT_FDCWD, "/proc/self/cgroup"))));
    const NamespaceSpec* own = config_.find_namespace(CLONE_NEWCGROUP);
    if (own && own->path.empty())
      if (auto done = sys::unshare(CLONE_NEWCGROUP); !done)
        return done.error().while_doing("make the cgroup namespace");
    return Ok{};
  }

  // Where the container has no group of its own it would look at those of the host.
  cgroup::Layout visible_groups(cgroup::Layout layout) const {
    if (!controllers_.empty())
      std::erase_if(layout.hierarchies, [&](const cgroup::HierarchyLayout& one) { return is_foreign(one); });
    return layout;
  }

  bool is_foreign(const cgroup::HierarchyLayout& one) const {
    if (one.controllers.has_any(controllers_)) return false;
    const bool is_unified = one.version == cgroup::Version::kV2;
    // systemd has groups of its own for it, in hierarchies that we make none in.
    if (request_.state->manager == CgroupManager::kSystemd) return !is_unified && !one.controllers.empty();
    return !(is_unified && wants_unified());
  }

  bool wants_unified() const {
    for (const Mount& mount : config_.mounts)
      if (mount.type == "cgroup2") return true;
    return false;
  }

  Status hooks_before_entering() {
    const Hooks& hooks = config_.hooks;
    if (!hooks.prestart.empty() || !hooks.create_runtime.empty() || !config_.net_devices.empty()) {
      TRY(tell(request_.channel, {.step = CreateStep::kRuntimeHooks}));
      TRY(expect(CreateStep::kHooksDone));
    }
    if (hooks.create_container.empty()) return Ok{};
    return run_hooks("createContainer", hooks.create_container, hook_state(ContainerStatus::kCreating),
                     request_.hook_output);
  }

  String hook_state(ContainerStatus status) {
    State state = *request_.state;
    // As whoever reads it sees it: these hooks run in the container's namespaces.
    state.init.pid = sys::getpid();
    return public_state(state, ContainerStatus::kCreated, StateFields::kStandard, name_of(status));
  }

  Status prepare_process() {
    who_.emplace(TRY(find_identity(process_spec_, root_.get())));
    texts_.emplace(process_spec_, *who_);
    TRY(make_stdio());
    if (config_.personality) TRY(set_personality(*config_.personality));
    if (config_.memory_policy)
      TRY(set_memory_policy(config_.memory_policy->mode | config_.memory_policy->flags,
                            config_.memory_policy->nodes));
    context_.root = root_.get();
    context_.filter = {request_.filter, filter_size_};
    context_.filter_options = request_.filter_options;
    context_.bounding = TRY(bounding_capabilities());
    context_.clamp_capabilities = true;
    context_.preserved_fds = request_.preserved_fds;
    context_.keep_groups = request_.keep_groups;
    context_.proc = proc_.get();
    context_.take_listener = &send_listener_of;
    context_.listener_context = this;
    // The creator writes it, who may.
    process_spec_.oom_score_adj.reset();
    process_.emplace(process_spec_, context_, *who_, *texts_, stdio_);
    TRY(process_->prepare());
    return process_->check_program();
  }

  Status make_stdio() {
    if (!process_spec_.terminal) return Ok{};
    terminal_ = TRY(make_terminal(process_spec_, root_.get(), *who_));
    for (int& fd : stdio_) fd = terminal_.slave.get();
    const UniqueFd console = std::move(console_);
    return console ? show_console(terminal_, console.get()) : Status(Ok{});
  }

  static Status send_listener_of(void* self, UniqueFd listener) {
    auto& init = *static_cast<ContainerInit*>(self);
    return send_listener(init.request_.listener_socket, listener.get(), init.request_.listener_metadata,
                         init.hook_state(ContainerStatus::kCreating), init.request_.state->oci_version,
                         init.pid_);
  }

  // Ends the bond with the creator, and waits for start.
  Status wait_until_started() {
    reply_to_ = request_.channel;
    CreateMessage message = {.step = CreateStep::kStart};
    if (request_.state_directory < 0) TRY(receive(message, nullptr));
    const bool waits = message.step == CreateStep::kWait;
    if (!waits && message.step != CreateStep::kStart) return Error::invalid("expected the word to wait");
    terminal_.master.reset();
    close_what_is_done(waits ? -1 : request_.channel);
    if (!waits) return Ok{};
    for (;;) {
      UniqueFd connection = TRY(sys::accept(request_.start_socket));
      char word = 0;
      auto got = sys::read(connection.get(), &word, 1);
      // Others only look whether somebody is waiting.
      if (!got || *got == 0) continue;
      connection_ = std::move(connection);
      reply_to_ = connection_.get();
      // Nobody else can start it now, and it no longer counts as created, however long its hooks take.
      (void)sys::close(request_.start_socket);
      return Ok{};
    }
  }

  // Who waits for the end of a descriptor that our creator had shall not wait for our start; and no way that
  // the image names may lead through one of ours.
  void close_what_is_done(int channel) const {
    int kept[] = {channel,
                  request_.start_socket,
                  root_.get(),
                  proc_.get(),
                  terminal_.slave.get(),
                  request_.listener_socket,
                  request_.hook_output.output,
                  request_.hook_output.error_output};
    close_all_but(3 + request_.preserved_fds, kept);
  }

  Status become_program() {
    TRY(run_hooks("startContainer", config_.hooks.start_container, hook_state(ContainerStatus::kCreated),
                  request_.hook_output));
    context_.needed_fds[0] = reply_to_;
    context_.needed_fds[1] = request_.listener_socket;
    return process_->execute();
  }

  // The next message, which must be that step. The creator's end is ours.
  Status expect(CreateStep step, Message* out = nullptr, std::span<char> text = {}) {
    CreateMessage message;
    TRY(receive(message, out, text));
    if (message.step != step) return Error::invalid("create: a message out of order");
    if (step == CreateStep::kGroups) {
      pid_ = message.pid;
      filter_size_ = message.filter_size;
      controllers_ = cgroup::Controllers::from_bits(message.controllers);
      if (message.elsewhere) allow_all_processors();
    }
    return Ok{};
  }

  Status receive(CreateMessage& message, Message* out, std::span<char> text = {}) const {
    const std::span<char> parts[] = {{reinterpret_cast<char*>(&message), sizeof message}, text};
    Message got = TRY(receive_message(request_.channel, parts));
    if (got.size < sizeof message) sys::exit(1);
    if (out) *out = std::move(got);
    return Ok{};
  }

  static Status tell(int channel, const CreateMessage& message, std::string_view text = {}, int fd = -1) {
    const std::string_view parts[] = {{reinterpret_cast<const char*>(&message), sizeof message}, text};
    return send_message(channel, parts, {&fd, fd >= 0 ? 1U : 0U});
  }

  [[noreturn]] void fail(int to, const Error& error) {
    const int exit_status = process_ ? process_->exit_status() : 125;
    (void)tell(to, {.step = CreateStep::kFailed, .err = error.err(), .exit_status = exit_status},
               error.message().view());
    sys::exit(exit_status == 125 ? 1 : exit_status);
  }

  const InitRequest& request_;
  Config& config_;
  ProcessSpec& process_spec_;
  pid_t pid_ = 0;
  size_t filter_size_ = 0;
  cgroup::Controllers controllers_;
  Vector<UniqueFd> prepared_;
  UniqueFd root_, proc_, connection_, time_offsets_;
  Terminal terminal_;
  UniqueFd console_;
  int stdio_[3] = {0, 1, 2};
  std::optional<Identity> who_;
  std::optional<ExecTexts> texts_;
  ProcessContext context_;
  std::optional<NewProcess> process_;
  int reply_to_ = -1;
};

}  // namespace

[[noreturn]] void run_container_init(const InitRequest& request) { ContainerInit(request).run(); }

}  // namespace nsbox
