#include "core/container/new_process.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>

#include "core/base/text.h"
#include "core/process/descriptors.h"
#include "core/security/labels.h"
#include "core/security/no_new_privs.h"
#include "core/security/process_attributes.h"
#include "core/security/user.h"
#include "core/sys/beneath.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr size_t kAccountFileLimit = size_t{16} * 1024 * 1024;
constexpr std::string_view kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

Result<String> read_account_file(int root, std::string_view path) {
  auto fd = open_in_root(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (fd.err() == ENOENT) return String();
  if (!fd) return fd.error().while_doing("open ", path);
  const auto info = TRY(sys::statx(fd->get(), "", AT_EMPTY_PATH, STATX_TYPE));
  // A masked file.
  if (S_ISCHR(info.stx_mode) && info.stx_rdev_major == 1 && info.stx_rdev_minor == 3) return String();
  if (!S_ISREG(info.stx_mode)) return Error::plain(EINVAL, path, ": not a regular file");
  auto text = read_all(fd->get(), kAccountFileLimit);
  if (!text) return text.error().while_doing("read ", path);
  return text;
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

// An id needs no entry; where there is one, it tells the home.
Result<Identity> without_name(Identity who, const ProcessSpec& process, int root) {
  if (has_variable(process, "HOME") || root < 0 || process.own_pipes || process.null_stdio) return who;
  const String passwd = TRY(read_account_file(root, "/etc/passwd"));
  const auto entry = find_user_by_id(passwd, who.user);
  who.home.append(entry && !entry->home.empty() ? entry->home : "/");
  return who;
}

// A directory that is not below our root has no path here: "(unreachable)…" (getcwd(2)).
Status check_directory() {
  char path[4096];
  auto length = sys::getcwd(path, sizeof path);
  if (!length) return length.error().while_doing("check the working directory");
  if (path[0] != '/') return Error::plain(EPERM, "the working directory is outside the container's root");
  return Ok{};
}

// Whether a pipe or a terminal came from the host, whose owner the program may need to be to open it again by
// its name in /proc. A file of the host's never changes hands.
bool may_change_owner(int fd) {
  auto info = sys::statx(fd, "", AT_EMPTY_PATH, STATX_TYPE);
  return info && (S_ISFIFO(info->stx_mode));
}

}  // namespace

Result<Identity> find_identity(const ProcessSpec& process, int root) {
  Identity who{process.user, process.group, process.additional_groups, String()};
  if (process.named_user.empty()) return without_name(std::move(who), process, root);
  const String passwd = TRY(read_account_file(root, "/etc/passwd"));
  const String group = TRY(read_account_file(root, "/etc/group"));
  ResolvedUser found = TRY(resolve_user(process.named_user, passwd, group));
  who.user = found.uid;
  who.group = found.gid;
  for (const uint32_t each : found.groups) who.groups.push_back(each);
  who.home.append(found.home);
  return who;
}

ExecTexts::ExecTexts(const ProcessSpec& process, const Identity& who) {
  texts.reserve(process.args.size() + process.env.size() + 1);
  for (std::string_view one : process.args) argv.push_back(keep(one));
  argv.push_back(nullptr);
  for (std::string_view one : process.env) envp.push_back(keep(one));
  if (!who.home.empty() && !has_variable(process, "HOME")) envp.push_back(keep(format("HOME=", who.home)));
  envp.push_back(nullptr);
}

const char* ExecTexts::keep(std::string_view text) { return texts.emplace_back(text).c_str(); }

// Each step may need a privilege that a later one drops.
Status NewProcess::prepare() {
  TRY(sys::setsid());
  TRY(take_stdio());
  TRY(set_rlimits(process_.rlimits));
  if (process_.oom_score_adj && context_.proc >= 0) TRY(set_oom_score());
  TRY(set_labels());
  TRY(set_scheduling());
  const bool entered = static_cast<bool>(enter_directory());
  TRY(take_identity());
  if (!entered) TRY(enter_directory());
  TRY(check_directory());
  sys::umask(static_cast<mode_t>(process_.umask.value_or(022)));
  return Ok{};
}

Status NewProcess::execute() {
  (void)sys::sigprocmask(SIG_SETMASK, 0);
  close_own_descriptors();
  if (process_.no_new_privileges) TRY(set_no_new_privs());
  // It may forbid whatever comes after it.
  TRY(install_filter());
  if (kept_for_filter() & ~capabilities_.permitted) TRY(set_capabilities(capabilities_));
  return exec_program();
}

void NewProcess::close_own_descriptors() const {
  int needed[] = {context_.needed_fds[0], context_.needed_fds[1]};
  close_all_but(3 + context_.preserved_fds, needed);
}

Status NewProcess::install_filter() {
  if (context_.filter.empty()) return Ok{};
  UniqueFd listener = TRY(install_seccomp(context_.filter, context_.filter_options));
  if (listener && context_.take_listener)
    return context_.take_listener(context_.listener_context, std::move(listener));
  return Ok{};
}

// Without no_new_privs a filter takes this capability to install; execute() drops it right after.
CapabilityMask NewProcess::kept_for_filter() const {
  const bool needed = !context_.filter.empty() && !process_.no_new_privileges;
  return needed ? CapabilityMask{1} << CAP_SYS_ADMIN : 0;
}

Status NewProcess::take_stdio() {
  if (process_.terminal) {
    auto done = sys::status(sys::call(__NR_ioctl, stdio_[0], TIOCSCTTY, 0));
    if (!done) return done.error().while_doing("take the controlling terminal");
  }
  for (unsigned i = 0; i < 3; i++) {
    // So that the program may open /dev/stdout again under its own id. Never what was handed in from the
    // host: its owner could change it there.
    if (who_.user != 0 &&
        ((process_.own_pipes >> i & 1) || (stdio_[i] == static_cast<int>(i) && may_change_owner(stdio_[i]))))
      (void)sys::fchown(stdio_[i], who_.user, who_.group);
    if (stdio_[i] == static_cast<int>(i)) continue;
    TRY(sys::dup3(stdio_[i], static_cast<int>(i), 0));
  }
  // Every descriptor of ours is close-on-exec; this holds should one ever not be. execute() closes them.
  return sys::close_range(3 + context_.preserved_fds, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */);
}

Status NewProcess::set_oom_score() {
  UniqueFd self = TRY(sys::openat(context_.proc, "self", O_PATH | O_DIRECTORY));
  return set_oom_score_adj(self.get(), *process_.oom_score_adj);
}

Status NewProcess::set_labels() {
  if (process_.apparmor_profile.empty() && process_.selinux_label.empty()) return Ok{};
  UniqueFd self = TRY(sys::openat(context_.proc, "thread-self", O_PATH | O_DIRECTORY));
  if (!process_.apparmor_profile.empty())
    TRY(set_apparmor_exec_profile(self.get(), process_.apparmor_profile));
  if (!process_.selinux_label.empty()) TRY(set_selinux_exec_label(self.get(), process_.selinux_label));
  return Ok{};
}

Status NewProcess::set_scheduling() {
  if (process_.scheduler) TRY(set_scheduler(*process_.scheduler));
  if (process_.io_priority) TRY(set_io_priority(*process_.io_priority));
  return Ok{};
}

Status NewProcess::enter_directory() {
  auto done = sys::chdir(String(process_.cwd).c_str());
  if (!done) return done.error().while_doing("enter the working directory ", process_.cwd);
  return Ok{};
}

Status NewProcess::take_identity() {
  capabilities_ = context_.clamp_capabilities ? clamp_capabilities(process_.capabilities, context_.bounding)
                                              : process_.capabilities;
  TRY(check_capabilities(capabilities_, context_.bounding));
  TRY(keep_capabilities_over_setuid());
  TRY(drop_bounding(capabilities_.bounding, context_.bounding));
  auto groups = context_.keep_groups ? Status(Ok{}) : sys::setgroups(who_.groups.data(), who_.groups.size());
  // Where setgroups is denied to the user namespace there is nothing to set, and nothing asked for is lost.
  if (!groups && !(groups.err() == EPERM && who_.groups.empty()))
    return groups.error().while_doing("set the supplementary groups");
  if (auto done = sys::setresgid(who_.group); !done)
    return done.error().while_doing("set group ", who_.group);
  if (auto done = sys::setresuid(who_.user); !done) return done.error().while_doing("set user ", who_.user);
  // A change of identity may have undone it (fs.suid_dumpable).
  TRY(sys::prctl(PR_SET_DUMPABLE, 0));
  CapabilitySets sets = capabilities_;
  sets.permitted |= kept_for_filter();
  sets.effective |= kept_for_filter();
  return set_capabilities(sets);
}

Status NewProcess::in_path(Status (*attempt)(const NewProcess& self, const char* file)) {
  const std::string_view program = process_.args[0];
  if (program.find('/') != std::string_view::npos) {
    auto done = attempt(*this, texts_.argv[0]);
    if (done) return done;
    return cannot_execute(done.error());
  }
  Error last(ENOENT);
  std::string_view rest = path_of(process_);
  do {
    const std::string_view folder = cut(rest, ':');
    const String file = format(folder.empty() ? "." : folder, "/", program);
    auto done = attempt(*this, file.c_str());
    if (done) return done;
    if (done.err() == EACCES || last.err() == ENOENT) last = done.error();
    if (done.err() != ENOENT && done.err() != ENOTDIR && done.err() != EACCES) break;
  } while (!rest.empty());
  if (last.err() == ENOENT || last.err() == ENOTDIR) {
    exit_status_ = kExitNotFound;
    return Error::plain(ENOENT, "exec: \"", program, "\": executable file not found in $PATH");
  }
  return cannot_execute(last);
}

Status NewProcess::check_program() {
  return in_path([](const NewProcess&, const char* file) -> Status {
    auto info = TRY(sys::statx(AT_FDCWD, file, 0, STATX_TYPE));
    if (S_ISDIR(info.stx_mode)) return Error(EISDIR);
    return sys::faccessat2(AT_FDCWD, file, 1 /* X_OK */, AT_EACCESS);
  });
}

Status NewProcess::exec_program() {
  return in_path([](const NewProcess& self, const char* file) {
    return sys::execveat(AT_FDCWD, file, self.texts_.argv.data(), self.texts_.envp.data(), 0);
  });
}

Error NewProcess::cannot_execute(const Error& error) {
  const bool missing = error.err() == ENOENT || error.err() == ENOTDIR;
  exit_status_ = missing ? kExitNotFound : kExitNotExecutable;
  std::string_view why = error.code();
  if (missing) why = "no such file or directory";
  if (error.err() == EACCES) why = "permission denied";
  if (error.err() == EISDIR) why = "is a directory: permission denied";
  if (error.err() == ENOEXEC) why = "exec format error";
  if (error.err() == E2BIG) why = "argument list too long";
  return Error::plain(error.err(), "exec: \"", process_.args[0], "\": ", why);
}

}  // namespace nsbox
