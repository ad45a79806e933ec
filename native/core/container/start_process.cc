#include "core/container/start_process.h"

#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <optional>

#include "core/base/text.h"
#include "core/mount/dev.h"
#include "core/process/clone.h"
#include "core/process/terminal.h"
#include "core/security/labels.h"
#include "core/security/no_new_privs.h"
#include "core/security/process_attributes.h"
#include "core/security/seccomp_install.h"
#include "core/security/user.h"
#include "core/sys/beneath.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr size_t kAccountFileLimit = size_t{16} * 1024 * 1024;
constexpr std::string_view kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct Identity {
  uint32_t user = 0;
  uint32_t group = 0;
  Vector<uint32_t> groups;
  String home;
};

Result<String> read_account_file(int root, std::string_view path) {
  auto fd = open_in_root(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (fd.err() == ENOENT) return String();
  if (!fd) return fd.error().while_doing("open ", path);
  const auto info = TRY(sys::statx(fd->get(), "", AT_EMPTY_PATH, STATX_TYPE));
  if (!S_ISREG(info.stx_mode)) return Error::plain(EINVAL, path, ": not a regular file");
  auto text = read_all(fd->get(), kAccountFileLimit);
  if (!text) return text.error().while_doing("read ", path);
  return text;
}

Result<Identity> find_identity(const ProcessSpec& process, int root) {
  Identity who{process.user, process.group, process.additional_groups, String()};
  if (process.named_user.empty()) return who;
  const String passwd = TRY(read_account_file(root, "/etc/passwd"));
  const String group = TRY(read_account_file(root, "/etc/group"));
  ResolvedUser found = TRY(resolve_user(process.named_user, passwd, group));
  who.user = found.uid;
  who.group = found.gid;
  for (const uint32_t each : found.groups) who.groups.push_back(each);
  who.home.append(found.home);
  return who;
}

bool has_variable(const ProcessSpec& process, std::string_view name) {
  for (std::string_view entry : process.env)
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') return true;
  return false;
}

std::string_view path_of(const ProcessSpec& process) {
  for (std::string_view entry : process.env)
    if (entry.starts_with("PATH=")) return entry.substr(5);
  return kDefaultPath;
}

// Texts and pointers for exec, made before the clone.
struct ExecTexts {
  Vector<String> texts;
  Vector<const char*> argv;
  Vector<const char*> envp;

  explicit ExecTexts(const ProcessSpec& process, const Identity& who) {
    texts.reserve(process.args.size() + process.env.size() + 1);
    for (std::string_view one : process.args) argv.push_back(keep(one));
    argv.push_back(nullptr);
    for (std::string_view one : process.env) envp.push_back(keep(one));
    if (!who.home.empty() && !has_variable(process, "HOME")) envp.push_back(keep(format("HOME=", who.home)));
    envp.push_back(nullptr);
  }

  const char* keep(std::string_view text) { return texts.emplace_back(text).c_str(); }
};

// Runs in the child, which shares our memory until it execs: what it leaves in `failure` we read.
class Child {
 public:
  Child(const ProcessSpec& process, const ProcessContext& context, const Identity& who,
        const ExecTexts& texts, std::span<const int> stdio)
      : process_(process), context_(context), who_(who), texts_(texts), stdio_(stdio) {}

  static int run(void* self) { return static_cast<Child*>(self)->run(); }

  std::optional<Error> failure;
  int exit_status = 125;

 private:
  int run() {
    auto done = become();
    if (!done) failure = done.error();
    return 1;
  }

  // Each step may need a privilege that a later one drops.
  Status become() {
    TRY(start_session());
    TRY(take_stdio());
    TRY(set_rlimits(process_.rlimits));
    if (process_.oom_score_adj) TRY(set_oom_score());
    TRY(set_labels());
    // Without no_new_privs a filter can be installed only before the capabilities go; it must then allow the
    // rest.
    if (!process_.no_new_privileges) TRY(install_filter());
    const bool entered = static_cast<bool>(enter_directory());
    TRY(take_identity());
    if (!entered) TRY(enter_directory());
    TRY(check_directory());
    sys::umask(static_cast<mode_t>(process_.umask.value_or(022)));
    (void)sys::sigprocmask(SIG_SETMASK, 0);
    if (process_.no_new_privileges) {
      TRY(set_no_new_privs());
      // The filter is the last: it may forbid the calls above.
      TRY(install_filter());
    }
    return execute();
  }

  Status install_filter() {
    if (context_.filter.empty()) return Ok{};
    TRY(install_seccomp(context_.filter));
    return Ok{};
  }

  static Status start_session() {
    TRY(sys::setsid());
    return Ok{};
  }

  Status take_stdio() {
    if (process_.terminal) {
      auto done = sys::status(sys::call(__NR_ioctl, stdio_[0], TIOCSCTTY, 0));
      if (!done) return done.error().while_doing("take the controlling terminal");
    }
    for (unsigned i = 0; i < 3; i++) {
      // So that the program may open /dev/stdout again under its own id. Never what was handed in from the
      // host: its owner could change it there.
      if (who_.user != 0 && (process_.own_pipes >> i & 1))
        (void)sys::fchown(stdio_[i], who_.user, who_.group);
      TRY(sys::dup3(stdio_[i], static_cast<int>(i), 0));
    }
    // Every descriptor of init's is close-on-exec; this holds should one ever not be.
    return sys::close_range(3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */);
  }

  Status set_oom_score() {
    UniqueFd self = TRY(sys::openat(context_.proc, "self", O_PATH | O_DIRECTORY));
    return set_oom_score_adj(self.get(), *process_.oom_score_adj);
  }

  Status set_labels() {
    if (process_.apparmor_profile.empty() && process_.selinux_label.empty()) return Ok{};
    UniqueFd self = TRY(sys::openat(context_.proc, "thread-self", O_PATH | O_DIRECTORY));
    if (!process_.apparmor_profile.empty())
      TRY(set_apparmor_exec_profile(self.get(), process_.apparmor_profile));
    if (!process_.selinux_label.empty()) TRY(set_selinux_exec_label(self.get(), process_.selinux_label));
    return Ok{};
  }

  Status enter_directory() {
    auto done = sys::chdir(String(process_.cwd).c_str());
    if (!done) return done.error().while_doing("enter the working directory ", process_.cwd);
    return Ok{};
  }

  // A directory that is not below our root has no path here: "(unreachable)…" (getcwd(2)).
  static Status check_directory() {
    char path[4096];
    auto length = sys::getcwd(path, sizeof path);
    if (!length) return length.error().while_doing("check the working directory");
    if (path[0] != '/') return Error::plain(EPERM, "the working directory is outside the container's root");
    return Ok{};
  }

  Status take_identity() {
    const CapabilitySets wanted = context_.clamp_capabilities
                                      ? clamp_capabilities(process_.capabilities, context_.bounding)
                                      : process_.capabilities;
    TRY(check_capabilities(wanted, context_.bounding));
    TRY(keep_capabilities_over_setuid());
    TRY(drop_bounding(wanted.bounding, context_.bounding));
    auto groups = sys::setgroups(who_.groups.data(), who_.groups.size());
    // Where setgroups is denied to the user namespace there is nothing to set, and nothing asked for is lost.
    if (!groups && !(groups.err() == EPERM && who_.groups.empty()))
      return groups.error().while_doing("set the supplementary groups");
    if (auto done = sys::setresgid(who_.group); !done)
      return done.error().while_doing("set group ", who_.group);
    if (auto done = sys::setresuid(who_.user); !done) return done.error().while_doing("set user ", who_.user);
    return set_capabilities(wanted);
  }

  Status execute() {
    const std::string_view program = process_.args[0];
    if (program.find('/') != std::string_view::npos) return try_exec(texts_.argv[0], program);
    Error last(ENOENT);
    std::string_view rest = path_of(process_);
    do {
      const std::string_view folder = cut(rest, ':');
      const String file = format(folder.empty() ? "." : folder, "/", program);
      auto failed = sys::execveat(AT_FDCWD, file.c_str(), texts_.argv.data(), texts_.envp.data(), 0);
      if (failed.err() == EACCES || last.err() == ENOENT) last = failed.error();
      if (failed.err() != ENOENT && failed.err() != ENOTDIR && failed.err() != EACCES) break;
    } while (!rest.empty());
    if (last.err() == ENOENT || last.err() == ENOTDIR) {
      exit_status = kExitNotFound;
      return Error::plain(ENOENT, "exec: \"", program, "\": executable file not found in $PATH");
    }
    return cannot_execute(last, program);
  }

  Status try_exec(const char* path, std::string_view program) {
    auto failed = sys::execveat(AT_FDCWD, path, texts_.argv.data(), texts_.envp.data(), 0);
    return cannot_execute(failed.error(), program);
  }

  Error cannot_execute(const Error& error, std::string_view program) {
    const bool missing = error.err() == ENOENT || error.err() == ENOTDIR;
    exit_status = missing ? kExitNotFound : kExitNotExecutable;
    std::string_view why = error.code();
    if (missing) why = "no such file or directory";
    if (error.err() == EACCES) why = "permission denied";
    if (error.err() == ENOEXEC) why = "exec format error";
    if (error.err() == E2BIG) why = "argument list too long";
    return Error::plain(error.err(), "exec: \"", program, "\": ", why);
  }

  const ProcessSpec& process_;
  const ProcessContext& context_;
  const Identity& who_;
  const ExecTexts& texts_;
  std::span<const int> stdio_;
};

// The box's own: whoever has the host's could change its mode for everybody.
Result<UniqueFd> open_null(int root) {
  auto null = open_in_root_nofollow(root, "/dev/null", O_RDWR);
  if (!null) return null.error().while_doing("open /dev/null");
  TRY(check_device(null->get(), 1, 3));
  return null;
}

Result<Terminal> make_terminal(const ProcessSpec& process, const ProcessContext& context,
                               const Identity& who) {
  auto pts = open_in_root(context.root, "/dev/pts", O_PATH | O_DIRECTORY);
  if (!pts) return pts.error().while_doing("open /dev/pts");
  auto terminal = open_terminal(pts->get());
  if (!terminal) return terminal.error().while_doing("open a terminal");
  if (process.columns && process.rows)
    TRY(set_window_size(terminal->master.get(), process.columns, process.rows));
  if (who.user) (void)sys::fchown(terminal->slave.get(), who.user, who.group);
  return terminal;
}

}  // namespace

Result<StartedProcess> start_process(const ProcessSpec& process, std::span<const UniqueFd> stdio,
                                     const ProcessContext& context, int& exit_status) {
  exit_status = 125;
  const Identity who = TRY(find_identity(process, context.root));
  const ExecTexts texts(process, who);
  Terminal terminal;
  UniqueFd null;
  int ends[3] = {-1, -1, -1};
  if (process.terminal) {
    terminal = TRY(make_terminal(process, context, who));
    for (int& end : ends) end = terminal.slave.get();
  } else {
    if (stdio.size() < 3) return Error::invalid("the descriptors of stdin, stdout and stderr are missing");
    if (process.null_stdio) null = TRY(open_null(context.root));
    for (size_t i = 0; i < 3; i++) ends[i] = process.null_stdio >> i & 1 ? null.get() : stdio[i].get();
  }

  Child child(process, context, who, texts, ends);
  auto cloned = clone_vfork({.flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD, .want_pidfd = false},
                            &Child::run, &child);
  if (!cloned) return cloned.error().while_doing("start a process");
  if (child.failure) {
    exit_status = child.exit_status;
    (void)sys::wait4(cloned->pid, nullptr, 0, nullptr);
    return *child.failure;
  }
  return StartedProcess{cloned->pid, std::move(terminal.master)};
}

}  // namespace nsbox
