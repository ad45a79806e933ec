#include "core/container/create.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/container/container_init.h"
#include "core/container/create_protocol.h"
#include "core/container/id_mapper.h"
#include "core/container/listener.h"
#include "core/container/outside_mounts.h"
#include "core/container/pid_file.h"
#include "core/container/steps.h"
#include "core/mount/label.h"
#include "core/net/device.h"
#include "core/ns/namespaces.h"
#include "core/process/channel.h"
#include "core/process/own_copy.h"
#include "core/process/placement.h"
#include "core/security/capabilities.h"
#include "core/security/labels.h"
#include "core/security/process_attributes.h"
#include "core/security/seccomp.h"
#include "core/spec/check.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr size_t kMaxFilter = 4096;  // BPF_MAXINSNS

// The others the process makes or enters by itself, at their moment.
constexpr uint64_t kByClone = CLONE_NEWUSER | CLONE_NEWPID;

class Creation {
 public:
  explicit Creation(const CreateRequest& request, StateDirectory directory)
      : request_(request), config_(request.loaded->config), directory_(std::move(directory)) {}

  Result<CreatedContainer> run() {
    auto done = make();
    if (!done) {
      const Error why = last_words().value_or(done.error());
      undo();
      return why;
    }
    return CreatedContainer{std::move(directory_), std::move(state_), std::move(pidfd_), std::move(terminal_),
                            std::move(warnings_)};
  }

 private:
  Status make() {
    state_ = state_of(request_);
    state_.new_keyring = request_.new_keyring;
    plan_.config = config_;
    plan_.make_cwd = true;
    TRY(prepare_filter());
    TRY(check_sysctls_are_not_ours(config_));
    TRY(warn_of_capabilities());
    if (!request_.start) start_socket_ = TRY(listen_for_start(directory_));
    TRY(choose_outside_mounts());
    TRY(label_mounts());
    TRY(clone_init());
    // Both have work to do from here on.
    is_elsewhere_ = place_elsewhere(pid_);
    TRY(map_ids());
    TRY(send_mounts());
    TRY(send_network());
    const String mountinfo = TRY(read_file_at(AT_FDCWD, "/proc/self/mountinfo", size_t{64} << 20));
    layout_ =
        cgroup::parse_layout(mountinfo, TRY(read_file_at(AT_FDCWD, "/proc/self/cgroup")), &layout_lines_);
    TRY(record_beginning());
    TRY(send_groups());
    TRY(converse());
    TRY(record_end());
    TRY(let_go());
    // For want of it nothing fails but the clearing up after a damaged state.
    (void)directory_.write_copy(state_);
    return hand_over();
  }

  // Memory that the process shares with us: its filter is compiled while it builds its root.
  Status prepare_filter() {
    if (!config_.seccomp || config_.seccomp->is(json::Kind::kNull)) return Ok{};
    profile_ = TRY(parse_seccomp(*config_.seccomp, *request_.loaded->arena, "linux.seccomp",
                                 annotation("run.oci.seccomp.receiver")));
    has_filter_ = true;
    init_.filter_options = install_options(profile_);
    state_.filter_flags = init_.filter_options.flags;
    state_.filter_listens = init_.filter_options.listener;
    void* memory = TRY(
        sys::mmap(kMaxFilter * sizeof(sock_filter), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1));
    shared_filter_ = static_cast<sock_filter*>(memory);
    init_.filter = shared_filter_;
    if (!init_.filter_options.listener) return Ok{};
    listener_socket_ = TRY(connect_to_listener(profile_));
    init_.listener_socket = listener_socket_.get();
    init_.listener_metadata = profile_.listener_metadata;
    return Ok{};
  }

  std::string_view annotation(std::string_view name) const {
    for (const Annotation& one : config_.annotations)
      if (one.name == name) return one.value;
    return {};
  }

  // runtime-spec config.md: what cannot be granted is told, and left out.
  Status warn_of_capabilities() {
    const CapabilitySets& sets = config_.process->capabilities;
    const CapabilityMask asked =
        sets.bounding | sets.effective | sets.inheritable | sets.permitted | sets.ambient;
    const CapabilityMask lacking = asked & ~TRY(bounding_capabilities(asked));
    for (unsigned i = 0; i < kNamedCapabilities; i++)
      if (lacking >> i & 1)
        warnings_.push_back(format("process.capabilities: this machine grants no ", capability_name(i)));
    for (std::string_view name : config_.process->unknown_capabilities)
      warnings_.push_back(format("process.capabilities: unknown, and left out: ", name));
    return Ok{};
  }

  uint64_t clone_flags() const {
    uint64_t flags = 0;
    for (const NamespaceSpec& one : config_.namespaces)
      if (one.path.empty()) flags |= one.flag & kByClone;
    return flags;
  }

  bool makes(uint64_t flag) const {
    const NamespaceSpec* one = config_.find_namespace(flag);
    return one && one->path.empty();
  }
  const NamespaceSpec* by_path(uint64_t flag) const {
    const NamespaceSpec* one = config_.find_namespace(flag);
    return one && !one->path.empty() ? one : nullptr;
  }

  Status clone_init() {
    int ends[2];
    TRY(sys::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
    channel_ = UniqueFd(ends[0]);
    init_.plan = &plan_;
    init_.state = &state_;
    init_.channel = ends[1];
    init_.start_socket = start_socket_.get();
    init_.wait_for_maps = makes(CLONE_NEWUSER) || by_path(CLONE_NEWUSER);
    init_.new_keyring = request_.new_keyring;
    init_.root_entry = request_.root_entry;
    init_.preserved_fds = request_.preserved_fds;
    init_.keep_groups = annotation("run.oci.keep_original_groups") == "1";
    init_.hook_output = request_.hook_output;
    init_.network_comes = makes_network();
    if (goes_on_by_itself()) init_.state_directory = directory_.fd();
    UniqueFd own_time;
    if (makes(CLONE_NEWTIME)) {
      init_.make_time_namespace = init_.wait_for_maps;
      if (!init_.make_time_namespace) {
        own_time = TRY(sys::open("/proc/self/ns/time", O_RDONLY));
        UniqueFd offsets = TRY(open_time_offsets());
        TRY(make_time_namespace(config_.time_offsets, offsets.get()));
      }
    }
    const bool joins = by_path(CLONE_NEWUSER) || by_path(CLONE_NEWPID);
    TRY(joins ? clone_through_between() : clone_directly());
    if (own_time) (void)sys::setns(own_time.get(), CLONE_NEWTIME);
    return Ok{};
  }

  Status clone_directly() {
    int pidfd = -1;
    clone_args args = {};
    args.flags = clone_flags() | CLONE_PIDFD;
    args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
    args.exit_signal = SIGCHLD;
    auto pid = sys::clone3(args);
    if (!pid) return pid.error().while_doing("make the namespaces");
    if (*pid == 0) become_init();
    pid_ = *pid;
    pidfd_ = UniqueFd(pidfd);
    return Ok{};
  }

  [[noreturn]] void become_init() {
    channel_.reset();
    run_container_init(init_);
  }

  // A process of existing user or pid namespaces: a go-between joins them, and its child becomes ours. This
  // process stays where it is: its hooks run outside, and not everybody may return.
  Status clone_through_between() {
    clone_args args = {};
    args.exit_signal = SIGCHLD;
    const pid_t between = TRY(sys::clone3(args));
    if (between == 0) be_between();
    (void)sys::wait4(between, nullptr, __WALL, nullptr);
    CreateMessage message;
    auto got = receive(message, nullptr, nullptr);
    if (!got) return got.error();
    if (message.step != CreateStep::kPid) return Error(ECHILD);
    pid_ = message.pid;
    pidfd_ = TRY(sys::pidfd_open(pid_, 0));
    return Ok{};
  }

  [[noreturn]] void be_between() {
    const int to = init_.channel;
    auto pid = clone_in_joined();
    if (!pid) {
      (void)tell(to, {.step = CreateStep::kFailed, .err = pid.err()}, pid.error().message());
      sys::exit(1);
    }
    if (*pid == 0) become_init();
    (void)tell(to, {.step = CreateStep::kPid, .pid = *pid});
    sys::exit(0);
  }

  Result<pid_t> clone_in_joined() {
    TRY(enter_own_copy());  // Whoever is there already could look at the child at once.
    if (const NamespaceSpec* processes = by_path(CLONE_NEWPID))
      TRY(join_namespace(processes->path, CLONE_NEWPID));
    if (const NamespaceSpec* users = by_path(CLONE_NEWUSER)) TRY(join_namespace(users->path, CLONE_NEWUSER));
    clone_args args = {};
    args.flags = clone_flags() | CLONE_PARENT;
    auto pid = sys::clone3(args);
    if (!pid) return pid.error().while_doing("make the namespaces");
    return *pid;
  }

  Status map_ids() {
    if (!init_.wait_for_maps) return Ok{};
    if (makes(CLONE_NEWUSER)) TRY(map_ids_of(pid_, config_.user_mappings, config_.group_mappings));
    return tell(channel_.get(), {.step = CreateStep::kGo});
  }

  // Ids are mapped by who is privileged over the file system; and what the root of a user namespace may not
  // reach, its creator may.
  Status choose_outside_mounts() {
    const bool reaches_less = makes(CLONE_NEWUSER) && may_mount_outside();
    const bool has_maps = config_.has_namespace(CLONE_NEWUSER);
    for (Mount& mount : plan_.config.mounts) {
      if (mount.idmap && mount.user_mappings.empty() && !has_maps)
        return Error::invalid("mounts: ", mount.destination,
                              ": idmap wants uidMappings and gidMappings, or a user namespace");
      const bool is_new = mount.bind && !mount.remount;
      mount.prepare = is_new && (mount.idmap || (reaches_less && !mount.copy_symlink));
    }
    return Ok{};
  }

  Status label_mounts() {
    if (config_.mount_label.empty()) return Ok{};
    if (!security_modules().selinux)
      return Error::plain(ENOTSUP, "linux.mountLabel: SELinux is not at work on this machine");
    mount_label_ = label_option(config_.mount_label);
    for (Mount& mount : plan_.config.mounts)
      if (takes_label(mount)) mount.data.push_back(mount_label_);
    return Ok{};
  }

  Status send_mounts() {
    const Vector<Mount>& mounts = plan_.config.mounts;
    if (std::none_of(mounts.begin(), mounts.end(), [](const Mount& mount) { return mount.prepare; }))
      return Ok{};
    UniqueFd ids;
    if (config_.has_namespace(CLONE_NEWUSER))
      ids = TRY(sys::open(format("/proc/", pid_, "/ns/user").c_str(), O_RDONLY));
    const Vector<UniqueFd> made = TRY(make_outside_mounts(mounts, ids.get(), config_.rootfs_propagation));
    for (size_t from = 0; from < made.size(); from += kMaxMessageFds) {
      Vector<int> fds;
      for (size_t i = from; i < made.size() && i < from + kMaxMessageFds; i++) fds.push_back(made[i].get());
      auto told = tell(channel_.get(), {.step = CreateStep::kMounts}, {}, fds);
      if (!told && told.err() != EPIPE) return told;
    }
    return Ok{};
  }

  // For a user namespace it must be made inside. Else this process has the time, while the other one builds
  // the root; if it may return to the network that it is in, which for the root of a user namespace is mostly
  // another's.
  bool makes_network() {
    if (!makes(CLONE_NEWNET) || config_.has_namespace(CLONE_NEWUSER)) return false;
    auto own = sys::open("/proc/self/ns/net", O_RDONLY);
    if (!own || !sys::setns(own->get(), CLONE_NEWNET)) return false;
    own_network_ = std::move(*own);
    return true;
  }

  Status send_network() {
    if (!init_.network_comes) return Ok{};
    auto made = make_network();
    // Whatever else is done is done here, hooks too.
    if (auto back = sys::setns(own_network_.get(), CLONE_NEWNET); !back)
      return back.error().while_doing("return to the own network namespace");
    if (!made) return made.error();
    const int network = made->get();
    auto told = tell(channel_.get(), {.step = CreateStep::kNetwork}, {}, {&network, 1});
    return told.err() == EPIPE ? Status(Ok{}) : std::move(told);
  }

  static Result<UniqueFd> make_network() {
    if (auto done = sys::unshare(CLONE_NEWNET); !done)
      return done.error().while_doing("make the network namespace");
    return sys::open("/proc/self/ns/net", O_RDONLY);
  }

  // Nothing is left to do between the last word of the process and its program but to record that it is made:
  // it does so itself.
  bool goes_on_by_itself() const {
    return request_.start && !config_.has_namespace(CLONE_NEWUSER) && !config_.process->terminal &&
           request_.pid_file.empty() && !config_.intel_rdt && annotation("run.oci.delegate-cgroup").empty() &&
           annotation("run.oci.pidfd_receiver").empty();
  }

  Status record_beginning() {
    state_.creator = TRY(identify_process(sys::getpid()));
    // Where the process has ended already, its words say why.
    if (auto init = identify_process(pid_)) state_.init = *init;
    groups_ = TRY(plan_groups(layout_, groups_of(request_, pid_)));
    state_.groups = groups_to_be_made(groups_);
    state_.further_groups = std::move(groups_.further);
    return directory_.write(state_);
  }

  Status send_groups() {
    auto made = make_groups(layout_, groups_of(request_, pid_), groups_);
    if (!made) return made.error();
    state_.groups = std::move(made->paths);
    state_.unit = std::move(made->unit);
    state_.user_bus = made->user_bus;
    // A hook may need to know the container; and so does whoever clears up after us.
    TRY(directory_.write_file("config.json", request_.loaded->text));
    TRY(compile_filter());
    if (init_.state_directory >= 0) {
      state_.made = true;
      TRY(directory_.write_aside(state_));
      state_.made = false;
    }
    if (const auto& score = config_.process->oom_score_adj) TRY(set_oom_score(*score));

    Vector<int> fds;
    for (const UniqueFd& one : made->entrances) fds.push_back(one.get());
    if (layout_lines_.size() > kMaxGroupLines)
      return Error::plain(E2BIG, "the paths at which cgroups are mounted are too long");
    auto told = tell(channel_.get(),
                     {.step = CreateStep::kGroups,
                      .pid = pid_,
                      .filter_size = static_cast<uint32_t>(filter_size_),
                      .controllers = made->set.controllers().bits(),
                      .elsewhere = is_elsewhere_},
                     layout_lines_, fds);
    // It has ended, and has said why.
    return told.err() == EPIPE ? Status(Ok{}) : std::move(told);
  }

  Status move_net_devices() {
    if (config_.net_devices.empty()) return Ok{};
    const UniqueFd network = TRY(sys::open(format("/proc/", pid_, "/ns/net").c_str(), O_RDONLY));
    for (const NetDevice& one : config_.net_devices)
      TRY(move_net_device(one.host_name, one.name.empty() ? one.host_name : one.name, network.get()));
    return Ok{};
  }

  Status compile_filter() {
    if (!has_filter_) return Ok{};
    SeccompCompileOptions options;
    if (annotation("run.oci.seccomp_fail_unknown_syscall") == "1") options.unknown = UnknownSyscall::kFail;
    const Vector<sock_filter> program = TRY(compile_seccomp(profile_, options));
    if (program.size() > kMaxFilter) return Error::invalid("linux.seccomp: too large for the kernel");
    memcpy(shared_filter_, program.data(), program.size() * sizeof(sock_filter));
    filter_size_ = program.size();
    return directory_.write_file(
        "seccomp.bpf", {reinterpret_cast<const char*>(program.data()), program.size() * sizeof(sock_filter)});
  }

  Status set_oom_score(int score) {
    UniqueFd proc = TRY(sys::open(format("/proc/", pid_).c_str(), O_PATH | O_DIRECTORY));
    auto done = set_oom_score_adj(proc.get(), score);
    // An ordinary user may raise it only.
    if (done.err() == EACCES && sys::geteuid() != 0) return Ok{};
    return done;
  }

  // What the process says until it is ready.
  Status converse() {
    for (;;) {
      CreateMessage message;
      Message got;
      bool ended = false;
      TRY(receive(message, &got, &ended));
      if (ended) return is_under_way() ? Status(Ok{}) : died_early();
      switch (message.step) {
        case CreateStep::kRuntimeHooks:
          TRY(move_net_devices());
          TRY(run_runtime_hooks());
          TRY(tell(channel_.get(), {.step = CreateStep::kHooksDone}));
          break;
        case CreateStep::kReady:
          if (!got.fds.empty()) terminal_ = std::move(got.fds[0]);
          return Ok{};
        default:
          return Error::invalid("create: a message out of order");
      }
    }
  }

  Status run_runtime_hooks() {
    const String state = public_state(state_, ContainerStatus::kCreated, StateFields::kStandard,
                                      name_of(ContainerStatus::kCreating));
    TRY(run_hooks("prestart", config_.hooks.prestart, state, request_.hook_output));
    return run_hooks("createRuntime", config_.hooks.create_runtime, state, request_.hook_output);
  }

  Status record_end() {
    if (init_.state_directory >= 0) {
      state_.made = true;
      return Ok{};
    }
    if (state_.init.pid == 0) state_.init = TRY(identify_process(pid_));
    if (config_.intel_rdt) {
      TRY(cgroup::apply_intel_rdt(*config_.intel_rdt, request_.id, pid_));
      state_.intel_rdt = true;
    }
    if (const std::string_view name = annotation("run.oci.delegate-cgroup"); !name.empty())
      TRY(enter_delegated_group(state_, name, pid_));
    state_.made = true;
    if (!request_.pid_file.empty()) {
      TRY(write_pid_file(request_.pid_file, pid_));
      is_pid_told_ = true;
    }
    return directory_.write(state_);
  }

  Status let_go() {
    if (init_.state_directory >= 0) return Ok{};
    if (terminal_ && request_.console_socket >= 0) {
      TRY(send_descriptor(request_.console_socket, "/dev/ptmx", terminal_.get()));
      terminal_.reset();
    }
    if (const std::string_view path = annotation("run.oci.pidfd_receiver"); !path.empty()) {
      const UniqueFd receiver = TRY(connect_to_socket(path));
      TRY(send_descriptor(receiver.get(), "pidfd", pidfd_.get()));
    }
    if (!request_.start) TRY(send_pidfd());
    return tell(channel_.get(), {.step = request_.start ? CreateStep::kStart : CreateStep::kWait});
  }

  // The channel ends with the exec.
  Status hand_over() {
    if (!request_.start) return Ok{};
    CreateMessage message;
    bool ended = false;
    if (init_.state_directory < 0) TRY(receive(message, nullptr, &ended));
    // Only now: who gets it may end the program at once, and that is its end, not a failure of ours.
    return send_pidfd();
  }

  Status send_pidfd() {
    if (request_.pidfd_socket < 0) return Ok{};
    return send_descriptor(request_.pidfd_socket, "pidfd", pidfd_.get());
  }

  static Status tell(int channel, const CreateMessage& message, std::string_view text = {},
                     std::span<const int> fds = {}) {
    const std::string_view parts[] = {{reinterpret_cast<const char*>(&message), sizeof message}, text};
    return send_message(channel, parts, fds);
  }

  // Its next message. A failure that it tells is ours; so is its end, unless `ended` wants to know.
  Status receive(CreateMessage& message, Message* out, bool* ended) {
    char buffer[8192];
    close_their_end();
    Message got = TRY(receive_message(channel_.get(), buffer));
    if (got.size < sizeof message) {
      if (!ended) return died_early();
      *ended = true;
      return Ok{};
    }
    memcpy(&message, buffer, sizeof message);
    if (message.step == CreateStep::kFailed)
      return Error::plain(message.err, "unable to start container process: ",
                          std::string_view(buffer + sizeof message, got.size - sizeof message));
    if (out) *out = std::move(got);
    return Ok{};
  }

  static Error died_early() {
    return Error::plain(ECHILD, "container init died before it was ready (was it killed, or out of memory?)");
  }

  // A process that goes on by itself says so by what it did last.
  bool is_under_way() const { return init_.state_directory >= 0 && directory_.is_put_in_place(); }

  // What the process had to say when it ended, while we were busy with something else that failed for it.
  std::optional<Error> last_words() {
    if (!channel_) return {};
    sys::Pollfd waiting = {channel_.get(), POLLIN, 0};
    auto ready = sys::poll(&waiting, 1, 0);
    if (!ready || *ready == 0 || !(waiting.revents & POLLIN)) return {};
    CreateMessage message;
    bool ended = false;
    auto got = receive(message, nullptr, &ended);
    if (got || ended) return {};
    return got.error();
  }

  void close_their_end() {
    if (init_.channel >= 0) (void)sys::close(init_.channel);
    init_.channel = -1;
  }

  void undo() {
    if (pidfd_) {
      (void)sys::pidfd_send_signal(pidfd_.get(), SIGKILL);
      (void)sys::wait4(pid_, nullptr, __WALL, nullptr);
    }
    if (state_.intel_rdt) (void)cgroup::remove_intel_rdt(*config_.intel_rdt, request_.id);
    (void)remove_groups(state_, request_.environment);
    (void)directory_.remove();
    if (is_pid_told_) remove_pid_file(request_.pid_file);
  }

  const CreateRequest& request_;
  const Config& config_;
  StateDirectory directory_;
  State state_;
  Plan plan_;
  InitRequest init_;
  SeccompProfile profile_;
  bool has_filter_ = false;
  sock_filter* shared_filter_ = nullptr;
  size_t filter_size_ = 0;
  String layout_lines_;
  bool is_elsewhere_ = false;
  cgroup::Layout layout_;
  GroupPlan groups_;
  String mount_label_;
  UniqueFd own_network_, channel_, start_socket_, pidfd_, terminal_, listener_socket_;
  pid_t pid_ = 0;
  bool is_pid_told_ = false;
  Vector<String> warnings_;
};

}  // namespace

Result<CreatedContainer> create_container(const CreateRequest& request) {
  StateDirectory directory = TRY(StateDirectory::create(request.root, request.id));
  return Creation(request, std::move(directory)).run();
}

}  // namespace nsbox
