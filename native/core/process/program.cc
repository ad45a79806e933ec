#include "core/process/program.h"

#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <cerrno>

#include "core/process/clone.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr size_t kKeptOutput = size_t{64} * 1024;

struct Child {
  const char* path;
  const char* const* argv;
  const char* const* envp;
  int stdio[3];
  std::span<const int> fds;
  int err = 0;

  static int run(void* self) { return static_cast<Child*>(self)->run(); }

  int run() {
    (void)sys::setsid();
    // It acts for us: what is left of it when we are killed would go on changing things for nobody.
    (void)sys::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int signal = 1; signal <= 64; signal++) (void)sys::sigdefault(signal);
    auto done = take_descriptors();
    if (done) {
      (void)sys::sigprocmask(SIG_SETMASK, 0);
      done = sys::execveat(AT_FDCWD, path, argv, envp, 0);
    }
    err = done.err();
    return 127;
  }

  Status take_descriptors() {
    const int count = static_cast<int>(fds.size());
    // Above all targets first, so that none is overwritten before it is moved.
    int safe[16];
    if (count > 13) return Error(EMFILE);
    for (int i = 0; i < 3 + count; i++)
      safe[i] =
          TRY(sys::fcntl(i < 3 ? stdio[i] : fds[static_cast<size_t>(i - 3)], F_DUPFD_CLOEXEC, 3 + count));
    for (int i = 0; i < 3 + count; i++) TRY(sys::dup3(safe[i], i, 0));
    return sys::close_range(static_cast<unsigned>(3 + count), ~0U, 4 /* CLOSE_RANGE_CLOEXEC */);
  }
};

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  TRY(sys::pipe2(ends, O_CLOEXEC));
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// One run: our ends of its pipes, and what came out so far.
class Run {
 public:
  explicit Run(const ProgramRequest& request) : request_(request) {}

  Result<ProgramEnd> go() {
    TRY(start());
    pump();
    return finish();
  }

 private:
  Status start() {
    Vector<String> texts;
    texts.reserve(request_.args.size() + request_.env.size());
    Vector<const char*> argv, envp;
    for (std::string_view one : request_.args) argv.push_back(texts.emplace_back(one).c_str());
    for (std::string_view one : request_.env) envp.push_back(texts.emplace_back(one).c_str());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    Pipe in = TRY(make_pipe());
    Pipe out = TRY(make_pipe());
    Pipe err = TRY(make_pipe());
    const String path(request_.path);
    Child child = {path.c_str(), argv.data(), envp.data(), {}, request_.fds, 0};
    child.stdio[0] = in.read.get();
    child.stdio[1] = request_.output >= 0 ? request_.output : out.write.get();
    child.stdio[2] = request_.error_output >= 0 ? request_.error_output : err.write.get();
    Cloned cloned =
        TRY(clone_vfork({.flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD}, &Child::run, &child));
    pid_ = cloned.pid;
    pidfd_ = std::move(cloned.pidfd);
    if (child.err) {
      (void)sys::wait4(pid_, nullptr, __WALL, nullptr);
      return Error(child.err);
    }
    input_ = std::move(in.write);
    output_ = std::move(out.read);
    errors_ = std::move(err.read);
    (void)sys::fcntl(input_.get(), F_SETFL, O_WRONLY | O_NONBLOCK);
    return Ok{};
  }

  // Until it has ended: a grandchild that keeps the pipes open is not waited for.
  void pump() {
    const uint64_t end = request_.timeout_ns ? sys::monotonic_ns() + *request_.timeout_ns : 0;
    for (;;) {
      int wait_ms = -1;
      if (end) {
        const uint64_t now = sys::monotonic_ns();
        if (now >= end) break;
        wait_ms = static_cast<int>((end - now) / 1'000'000 + 1);
      }
      sys::Pollfd fds[4] = {{pidfd_.get(), POLLIN, 0},
                            {output_.get(), POLLIN, 0},
                            {errors_.get(), POLLIN, 0},
                            {input_.get(), POLLOUT, 0}};
      (void)sys::poll(fds, 4, wait_ms);
      if (fds[1].revents) take(output_, end_.output);
      if (fds[2].revents) take(errors_, end_.error_output);
      if (fds[3].revents) give();
      if (fds[0].revents) return drain();
    }
    end_.timed_out = true;
    (void)sys::kill(-pid_, SIGKILL);
    (void)sys::pidfd_send_signal(pidfd_.get(), SIGKILL);
  }

  void take(UniqueFd& from, String& into) {
    char buffer[4096];
    auto got = sys::read(from.get(), buffer, sizeof buffer);
    if (!got && (got.err() == EINTR || got.err() == EAGAIN)) return;
    if (!got || *got == 0) return from.reset();
    if (into.size() < kKeptOutput) into.append(std::string_view(buffer, *got));
  }

  // A program that does not read its input is none of our business (SIGPIPE is ignored).
  void give() {
    const std::string_view rest = request_.input.substr(given_);
    auto done = rest.empty() ? Result<size_t>(size_t{0}) : sys::write(input_.get(), rest.data(), rest.size());
    if (!done && (done.err() == EAGAIN || done.err() == EINTR)) return;
    given_ += done ? *done : rest.size();
    if (!done || given_ == request_.input.size()) input_.reset();
  }

  // What lies in the pipes already.
  void drain() {
    for (UniqueFd* from : {&output_, &errors_}) {
      if (!*from) continue;
      (void)sys::fcntl(from->get(), F_SETFL, O_RDONLY | O_NONBLOCK);
      char buffer[4096];
      for (;;) {
        auto got = sys::read(from->get(), buffer, sizeof buffer);
        if (!got || *got == 0) break;
        String& into = from == &output_ ? end_.output : end_.error_output;
        if (into.size() >= kKeptOutput) break;
        into.append(std::string_view(buffer, *got));
      }
    }
  }

  Result<ProgramEnd> finish() {
    for (;;) {
      auto got = sys::wait4(pid_, &end_.wait_status, __WALL, nullptr);
      if (got) return std::move(end_);
      if (got.err() != EINTR) return got.error();
    }
  }

  const ProgramRequest& request_;
  pid_t pid_ = -1;
  UniqueFd pidfd_, input_, output_, errors_;
  size_t given_ = 0;
  ProgramEnd end_;
};

}  // namespace

String ProgramEnd::how() const {
  if (timed_out) return String("it did not end in time, and was killed");
  if (WIFSIGNALED(wait_status)) return format("signal ", WTERMSIG(wait_status));
  return format("exit status ", WEXITSTATUS(wait_status));
}

Result<ProgramEnd> run_program(const ProgramRequest& request) {
  (void)sys::sigignore(SIGPIPE);
  return Run(request).go();
}

}  // namespace nsbox
