#include "runtime/foreground.h"

#include <asm/termbits.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include "core/process/terminal.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox::runtime {
namespace {

constexpr unsigned long kGetAttributes = 0x5401, kSetAttributes = 0x5404;  // TCGETS, TCSETSF
constexpr unsigned long kGetSize = 0x5413, kSetSize = 0x5414;              // TIOCGWINSZ, TIOCSWINSZ

// Our own terminal passes every key on as it is, until the end.
class RawTerminal {
 public:
  explicit RawTerminal(int fd) : fd_(fd) {
    if (!sys::ioctl(fd_, kGetAttributes, &before_)) return;
    termios raw = before_;
    raw.c_iflag &= ~tcflag_t{IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON};
    raw.c_oflag &= ~tcflag_t{OPOST};
    raw.c_lflag &= ~tcflag_t{ECHO | ECHONL | ICANON | ISIG | IEXTEN};
    raw.c_cflag &= ~tcflag_t{CSIZE | PARENB};
    raw.c_cflag |= CS8;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    is_set_ = static_cast<bool>(sys::ioctl(fd_, kSetAttributes, &raw));
  }
  ~RawTerminal() {
    if (is_set_) (void)sys::ioctl(fd_, kSetAttributes, &before_);
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

 private:
  int fd_;
  termios before_ = {};
  bool is_set_ = false;
};

// How often a terminal that nobody has open is looked at again.
constexpr int kHangUpPauseMs = 100;

constexpr uint64_t bit(int signal) { return uint64_t{1} << (signal - 1); }

class Stay {
 public:
  explicit Stay(const Foreground& process) : process_(process) {}

  Result<int> run() {
    signals_ = TRY(sys::signalfd(~uint64_t{0}, O_NONBLOCK));
    if (process_.terminal < 0) return loop();
    // Who waited until a program reads could not hear what it says meanwhile.
    TRY(sys::fcntl(process_.terminal, F_SETFL, O_RDWR | O_NONBLOCK));
    const RawTerminal raw(0);
    copy_size();
    return loop();
  }

 private:
  Result<int> loop() {
    for (;;) {
      const bool takes_input = process_.terminal >= 0 && input_open_ && rest_.empty();
      const short terminal_events = rest_.empty() ? POLLIN : POLLIN | POLLOUT;
      sys::Pollfd fds[4] = {{signals_.get(), POLLIN, 0},
                            {is_hung_up_ ? -1 : process_.terminal, terminal_events, 0},
                            {takes_input ? 0 : -1, POLLIN, 0},
                            {process_.pidfd, POLLIN, 0}};
      (void)sys::poll(fds, 4, is_hung_up_ ? kHangUpPauseMs : -1);
      // A program may close its terminal and open it again later: until then it hangs up at each look.
      is_hung_up_ = (fds[1].revents & ~POLLOUT) && !copy_output();
      if (fds[1].revents & POLLOUT) pass_input_on();
      if (fds[2].revents) copy_input();
      if (fds[0].revents) forward_signals();
      if (fds[3].revents) reap();
      if (ended_) return finish();
    }
  }

  void forward_signals() {
    char info[128];  // struct signalfd_siginfo: the number comes first.
    for (;;) {
      auto got = sys::read(signals_.get(), info, sizeof info);
      if (!got || *got != sizeof info) return;
      uint32_t signal;
      memcpy(&signal, info, sizeof signal);
      if (signal == SIGCHLD)
        reap();
      else if (signal == SIGWINCH && process_.terminal >= 0)
        copy_size();
      else if (signal != SIGPIPE && signal != SIGURG && signal != SIGTTOU && signal != SIGTTIN)
        (void)sys::pidfd_send_signal(process_.pidfd, static_cast<int>(signal));
    }
  }

  void reap() {
    for (;;) {
      int wait_status = 0;
      auto pid = sys::wait4(-1, &wait_status, WNOHANG | __WALL, nullptr);
      if (!pid || *pid == 0) return;
      if (*pid == process_.pid) ended_ = wait_status;
    }
  }

  void copy_size() const {
    char size[8] = {};  // struct winsize
    if (sys::ioctl(0, kGetSize, size)) (void)sys::ioctl(process_.terminal, kSetSize, size);
  }

  // False when there is nothing more.
  bool copy_output() const {
    char buffer[16384];
    auto got = sys::read(process_.terminal, buffer, sizeof buffer);
    if (!got || *got == 0) return false;
    (void)write_all(1, buffer, *got);
    return true;
  }

  void copy_input() {
    auto got = sys::read(0, input_, sizeof input_);
    if (got.err() == EINTR || got.err() == EAGAIN) return;
    input_open_ = got && *got > 0;
    rest_ = input_open_ ? std::string_view(input_, *got) : end_of_file();
    if (input_open_) at_line_start_ = rest_.back() == '\n';
    pass_input_on();
  }

  // A terminal takes the first for the end of a line that has begun.
  std::string_view end_of_file() const { return at_line_start_ ? "\4" : "\4\4"; }

  // As much as it takes now. What nobody has open takes nothing.
  void pass_input_on() {
    auto written = sys::write(process_.terminal, rest_.data(), rest_.size());
    if (written)
      rest_.remove_prefix(*written);
    else if (written.err() != EAGAIN && written.err() != EINTR)
      rest_ = {};
  }

  int finish() const {
    if (process_.terminal >= 0)
      while (copy_output()) {
      }
    return WIFSIGNALED(*ended_) ? 128 + WTERMSIG(*ended_) : WEXITSTATUS(*ended_);
  }

  const Foreground& process_;
  UniqueFd signals_;
  char input_[4096];
  std::string_view rest_;  // Of the input: what the terminal has not taken yet.
  bool input_open_ = true;
  bool at_line_start_ = true;
  bool is_hung_up_ = false;
  std::optional<int> ended_;
};

}  // namespace

Status take_signals() {
  // What tells of a mistake of ours stays with us.
  constexpr uint64_t kOurs =
      bit(SIGSEGV) | bit(SIGBUS) | bit(SIGILL) | bit(SIGFPE) | bit(SIGTRAP) | bit(SIGABRT);
  return sys::sigprocmask(SIG_SETMASK, ~kOurs);
}

Status take_signals_and_orphans(const Arguments& arguments) {
  if (!arguments.has("no-subreaper")) (void)sys::prctl(PR_SET_CHILD_SUBREAPER, 1);
  return take_signals();
}

Result<int> stay_with(const Foreground& process) { return Stay(process).run(); }

}  // namespace nsbox::runtime
