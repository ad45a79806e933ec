#include "core/container/restore.h"

#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <memory>

#include "core/base/text.h"
#include "core/container/pid_file.h"
#include "core/container/status.h"
#include "core/mount/rootfs.h"
#include "core/security/seccomp_compile.h"
#include "core/security/seccomp_install.h"
#include "core/security/seccomp_parse.h"
#include "core/sys/beneath.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr const char* kLogFile = "restore.log";
constexpr const char* kPidFile = "criu.pid";
constexpr uint64_t kSlave = uint64_t{1} << 19;
// criu gets what it inherits from here on, above whatever we have open.
constexpr int kFirstInherited = 200;

struct Inherited {
  int fd;
  String key;
};

class Restore {
 public:
  Restore(const RestoreRequest& request, StateDirectory directory)
      : request_(request),
        config_(request.loaded->config),
        directory_(std::move(directory)),
        arguments_(request.criu, "restore", kLogFile) {}

  Result<RestoredContainer> run() {
    auto done = make();
    if (!done) {
      undo();
      return done.error();
    }
    return RestoredContainer{std::move(directory_), std::move(state_), std::move(pidfd_)};
  }

 private:
  Status make() {
    TRY(directory_.write_file("config.json", request_.loaded->text));
    state_ = state_of(request_);
    if (auto self = identify_process(sys::getpid())) state_.creator = *self;
    layout_ = TRY(cgroup::read_layout());
    plan_ = TRY(plan_groups(layout_, group_request()));
    state_.groups = groups_to_be_made(plan_);
    TRY(directory_.write(state_));
    TRY(write_filter());
    TRY(make_mount_points());
    TRY(make_container_groups());
    TRY(collect_arguments());
    TRY(run_criu());
    return record_end();
  }

  GroupRequest group_request() const {
    GroupRequest out = groups_of(request_, placeholder_);
    out.everywhere = true;  // The images may name any of them.
    return out;
  }

  // criu brings the processes' own filters; this one is for exec.
  Status write_filter() {
    if (!config_.seccomp || config_.seccomp->is(json::Kind::kNull)) return Ok{};
    const SeccompProfile profile =
        TRY(parse_seccomp(*config_.seccomp, *request_.loaded->arena, "linux.seccomp"));
    state_.filter_flags = install_options(profile).flags;
    state_.filter_listens = install_options(profile).listener;
    const Vector<sock_filter> program = TRY(compile_seccomp(profile));
    return directory_.write_file(
        "seccomp.bpf", {reinterpret_cast<const char*>(program.data()), program.size() * sizeof(sock_filter)});
  }

  // Below another mount the images have it, or it is not ours to make.
  bool is_below_another(std::string_view destination) const {
    for (const Mount& other : config_.mounts) {
      const std::string_view above = other.destination;
      if (destination.size() > above.size() && destination.starts_with(above) &&
          (above.ends_with('/') || destination[above.size()] == '/'))
        return true;
    }
    return false;
  }

  Status make_mount_points() {
    const UniqueFd root = TRY(sys::open(state_.rootfs.c_str(), O_PATH | O_DIRECTORY));
    for (const Mount& mount : config_.mounts) {
      if (is_below_another(mount.destination)) continue;
      bool is_file = false;
      if (mount.bind)
        is_file = !S_ISDIR(TRY(sys::statx(AT_FDCWD, String(mount.source).c_str(), 0, STATX_TYPE)).stx_mode);
      auto made = is_file ? make_file_in_root(root.get(), mount.destination, 0644)
                          : make_directories_in_root(root.get(), mount.destination, 0755);
      if (!made && made.err() != EROFS) return made.error().while_doing("make ", mount.destination);
    }
    return Ok{};
  }

  // systemd makes a unit of a process only, and criu's words want the unit's groups: until there are
  // processes of the container's, one that does nothing stands in for them.
  Status start_placeholder() {
    if (request_.manager != CgroupManager::kSystemd) return Ok{};
    clone_args args = {};
    args.exit_signal = SIGCHLD;
    auto pid = sys::clone3(args);
    if (!pid) return pid.error().while_doing("start a process");
    if (*pid == 0) {
      (void)sys::prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) (void)sys::nanosleep(uint64_t{1} << 40);
    }
    placeholder_ = *pid;
    return Ok{};
  }

  void end_placeholder() {
    if (placeholder_ <= 0) return;
    (void)sys::kill(placeholder_, SIGKILL);
    (void)sys::wait4(placeholder_, nullptr, __WALL, nullptr);
    placeholder_ = 0;
  }

  Status make_container_groups() {
    TRY(start_placeholder());
    ContainerGroups made = TRY(make_groups(layout_, group_request(), plan_));
    state_.groups = std::move(made.paths);
    state_.unit = std::move(made.unit);
    state_.user_bus = made.user_bus;
    groups_ = std::move(made.set);
    return directory_.write(state_);
  }

  Status collect_arguments() {
    arguments_.add("--restore-detached");
    arguments_.add("--restore-sibling");
    arguments_.add("--pidfile", format(request_.root, "/", request_.id, "/", kPidFile));
    arguments_.add("--root", state_.rootfs);
    if (!request_.criu.lsm_profile.empty()) arguments_.add("--lsm-profile", request_.criu.lsm_profile);
    if (!request_.criu.lsm_mount_context.empty())
      arguments_.add("--lsm-mount-context", request_.criu.lsm_mount_context);
    add_group_roots();
    TRY(add_mounts());
    TRY(add_streams());
    TRY(add_namespaces());
    for (const Inherited& one : inherited_)
      arguments_.add("--inherit-fd", format("fd[", one.fd, "]:", one.key));
    return Ok{};
  }

  // "/k" of "/sys/fs/cgroup/cpu/k"
  std::string_view path_in(const cgroup::HierarchyLayout& hierarchy, std::string_view path) const {
    return path.starts_with(hierarchy.mount_point.view()) ? path.substr(hierarchy.mount_point.size())
                                                          : std::string_view();
  }

  const GroupPath* group_in(const cgroup::HierarchyLayout& hierarchy) const {
    for (const GroupPath& one : state_.groups)
      if (one.version == hierarchy.version && one.controllers == hierarchy.controllers) return &one;
    return nullptr;
  }

  void add_group_roots() {
    for (const cgroup::HierarchyLayout& one : layout_.hierarchies) {
      const GroupPath* group = group_in(one);
      if (!group) continue;
      // As the kernel counts it: from the hierarchy's root, not from what the mount shows of it.
      String path(one.mount_root.view() == "/" ? std::string_view() : one.mount_root.view());
      append(path, path_in(one, group->path));
      if (one.version == cgroup::Version::kV2) {
        arguments_.add("--cgroup-root", path);
        continue;
      }
      String names;
      for_each(one.controllers, [&](cgroup::Controller each) {
        append(names, names.empty() ? "" : ",", cgroup::name_of(each));
      });
      arguments_.add("--cgroup-root", format(names, ":", path));
    }
  }

  Status add_mount(std::string_view place, std::string_view source) {
    while (place.size() > 1 && place.ends_with('/')) place.remove_suffix(1);
    arguments_.add("--external", TRY(external_mount(place, source)));
    return Ok{};
  }

  Status add_mounts() {
    for (const Mount& mount : config_.mounts) {
      if (mount.bind)
        TRY(add_mount(mount.destination, source_of(mount)));
      else if (mount.type.starts_with("cgroup") && !config_.has_namespace(CLONE_NEWCGROUP))
        TRY(add_views_of_groups(mount.destination));
    }
    return Ok{};
  }

  // A bind of several hierarchies in v1, of one in v2: criu passes over those that the images do not name.
  Status add_views_of_groups(std::string_view destination) {
    for (const cgroup::HierarchyLayout& one : layout_.hierarchies) {
      const GroupPath* group = group_in(one);
      const std::string_view source = group ? group->path.view() : one.mount_point.view();
      const std::string_view mounted_at = one.mount_point.view();
      TRY(add_mount(format(destination, "/", mounted_at.substr(mounted_at.rfind('/') + 1)), source));
      if (layout_.hierarchies.size() == 1) TRY(add_mount(destination, source));
    }
    return Ok{};
  }

  String source_of(const Mount& mount) const {
    return mount.source.starts_with('/') ? String(mount.source) : format(request_.bundle, "/", mount.source);
  }

  int inherit(int fd, std::string_view key) {
    inherited_.push_back({kFirstInherited + static_cast<int>(inherited_.size()), String(key)});
    sources_.push_back(fd);
    return inherited_.back().fd;
  }

  // Ours in the place of those that led out of the container.
  Status add_streams() {
    auto text = read_file_at(AT_FDCWD, format(request_.criu.image_path, "/", kDescriptorsFile).c_str());
    if (text.err() == ENOENT) return Ok{};
    if (!text) return text.error();
    Arena arena;
    auto list = json::parse(*text, arena);
    if (!list) return list.error().while_doing(kDescriptorsFile, " of the images");
    if (!list->is(json::Kind::kArray)) return Error::invalid(kDescriptorsFile, ": expected an array");
    int fd = 0;
    for (const json::Value& one : list->items()) {
      const std::string_view key = one.is(json::Kind::kString) ? one.string() : "";
      if (fd < 3 && (key.starts_with("pipe:") || key.starts_with("file["))) inherit(fd, key);
      fd++;
    }
    return Ok{};
  }

  Status add_namespaces() {
    for (const NamespaceSpec& one : config_.namespaces) {
      if (one.path.empty()) continue;
      const std::string_view key = external_namespace_key(one.flag);
      if (key.empty()) continue;
      auto file = sys::open(String(one.path).c_str(), O_RDONLY);
      if (!file) return file.error().while_doing("open the namespace ", one.path);
      inherit(file->get(), key);
      namespaces_.push_back(std::move(*file));
    }
    return Ok{};
  }

  // criu, in the container's groups, which what it restores is born into; its children are ours.
  Status run_criu() {
    said_ = TRY(sys::memfd_create("criu", 0));
    const UniqueFd nothing = TRY(sys::open("/dev/null", O_RDWR));
    Vector<const char*> argv, envp;
    const Vector<std::string_view> words = arguments_.views();
    for (std::string_view word : words) argv.push_back(texts_.emplace_back(new String(word))->c_str());
    for (std::string_view word : request_.criu.environment)
      envp.push_back(texts_.emplace_back(new String(word))->c_str());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    clone_args args = {};
    args.exit_signal = SIGCHLD;
    auto pid = sys::clone3(args);
    if (!pid) return pid.error().while_doing("start ", request_.criu.program);
    if (*pid == 0) {
      auto done = become_criu(nothing.get(), argv.data(), envp.data());
      const String text = done.error().message();
      (void)write_all(said_.get(), text.c_str(), text.size());
      sys::exit(127);
    }
    return wait_for(*pid);
  }

  Status become_criu(int nothing, const char* const* argv, const char* const* envp) {
    for (int signal = 1; signal <= 64; signal++) (void)sys::sigdefault(signal);
    (void)sys::sigprocmask(SIG_SETMASK, 0);
    TRY(cgroup::attach_self(groups_));
    TRY(sys::unshare(CLONE_NEWNS));
    TRY(detach_from_host(kSlave));
    // criu wants a mount as its root.
    const UniqueFd root = TRY(sys::open(state_.rootfs.c_str(), O_PATH | O_DIRECTORY));
    const UniqueFd copy = TRY(copy_mount(root.get(), "", true));
    TRY(attach_mount(copy.get(), root.get()));
    for (size_t i = 0; i < inherited_.size(); i++) TRY(sys::dup3(sources_[i], inherited_[i].fd, 0));
    if (!request_.criu.shell_job) TRY(sys::dup3(nothing, 0, 0));
    TRY(sys::dup3(said_.get(), 1, 0));
    TRY(sys::dup3(said_.get(), 2, 0));
    return sys::execveat(AT_FDCWD, String(request_.criu.program).c_str(), argv, envp, 0);
  }

  Status wait_for(pid_t criu) {
    int wait_status = 0;
    while (sys::wait4(criu, &wait_status, __WALL, nullptr).err() == EINTR) {
    }
    if (wait_status == 0) return Ok{};
    TRY(sys::lseek(said_.get(), 0, 0));
    auto said = read_all(said_.get());
    const String how = WIFSIGNALED(wait_status) ? format("signal ", WTERMSIG(wait_status))
                                                : format("exit status ", WEXITSTATUS(wait_status));
    return criu_error(request_.criu, kLogFile, how, said ? said->view() : std::string_view());
  }

  Status record_end() {
    const String text = TRY(read_file_at(directory_.fd(), kPidFile));
    const auto pid = parse_id(trim(text));
    if (!pid) return Error::invalid("criu told no process id");
    init_ = static_cast<pid_t>(*pid);
    state_.init = TRY(identify_process(init_));
    pidfd_ = TRY(sys::pidfd_open(init_, 0));
    state_.made = true;
    (void)sys::unlinkat(directory_.fd(), kPidFile, 0);
    TRY(directory_.write(state_));
    // The last that can fail, so that nobody is told the pid of what is undone again.
    if (!request_.pid_file.empty()) TRY(write_pid_file(request_.pid_file, init_));
    end_placeholder();
    return Ok{};
  }

  void undo() {
    if (pidfd_) {
      (void)sys::pidfd_send_signal(pidfd_.get(), SIGKILL);
      (void)sys::wait4(init_, nullptr, __WALL, nullptr);
    }
    end_placeholder();
    (void)remove_groups(state_, request_.environment);
    (void)directory_.remove();
  }

  const RestoreRequest& request_;
  const Config& config_;
  StateDirectory directory_;
  CriuArguments arguments_;
  State state_;
  cgroup::Layout layout_;
  GroupPlan plan_;
  cgroup::GroupSet groups_;
  Vector<Inherited> inherited_;
  Vector<int> sources_;
  Vector<UniqueFd> namespaces_;
  Vector<std::unique_ptr<String>> texts_;
  UniqueFd said_, pidfd_;
  pid_t placeholder_ = 0, init_ = 0;
};

Status check(const RestoreRequest& request) {
  auto images = sys::open(String(request.criu.image_path).c_str(), O_PATH | O_DIRECTORY);
  if (images.err() == ENOENT)
    return Error::plain(ENOENT, "open ", request.criu.image_path, ": no such file or directory");
  if (!images) return images.error().while_doing("open the images ", request.criu.image_path);
  if (request.loaded->config.process->terminal)
    return Error::plain(ENOTSUP, "a container with a terminal cannot be restored");
  return Ok{};
}

}  // namespace

Result<RestoredContainer> restore_container(const RestoreRequest& request) {
  TRY(check(request));
  return Restore(request, TRY(StateDirectory::create(request.root, request.id))).run();
}

}  // namespace nsbox
