#include "core/container/init.h"

#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>

#include "core/base/memory_mark.h"
#include "core/container/box.h"
#include "core/container/plan.h"
#include "core/container/process_table.h"
#include "core/container/protocol.h"
#include "core/container/start_process.h"
#include "core/process/channel.h"
#include "core/spec/parse.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr size_t kLargestPlan = size_t{64} * 1024 * 1024;

// The plan's bytes, wherever they came.
struct PlanText {
  std::string_view json;
  std::span<const sock_filter> filter;
  Vector<UniqueFd> fds;
};

// A request or plan too long for one message lies in a memory file, its first descriptor.
Result<std::string_view> map_text(int memfd, size_t size) {
  if (size > kLargestPlan) return Error(EMSGSIZE);
  void* text = TRY(sys::mmap(size ? size : 1, PROT_READ, MAP_PRIVATE, memfd));
  return std::string_view(static_cast<const char*>(text), size);
}

class Init {
 public:
  explicit Init(int channel) : channel_(channel) {}

  int run() {
    auto made = make();
    if (!made) {
      report_failure(0, made.error(), 125);
      return 1;
    }
    return serve();
  }

 private:
  Status make() {
    TRY(begin());
    PlanText text = TRY(receive_plan());
    plan_.emplace(TRY(parse_plan(text.json, text.filter, std::move(text.fds), arena_)));
    plan_->prepared = prepared_;
    if (plan_->id_maps == IdMaps::kWait) TRY(wait_for_go());
    box_.emplace(TRY(Box::create(*plan_)));
    // Their work is done, and nothing in here shall lead out.
    plan_->cgroup_parents.hierarchies.clear();
    if (!plan_->start) return send(Reply{.kind = ReplyKind::kReady});
    first_started_ = start(0, *plan_->config.process, plan_->stdio);
    plan_->stdio.clear();
    if (!first_started_ && !plan_->hold) sys::exit(1);
    return Ok{};
  }

  Status begin() {
    // Not to outlive the starter even while we wait on something else than the channel.
    TRY(sys::prctl(PR_SET_PDEATHSIG, SIGKILL));
    constexpr uint64_t kChild = uint64_t{1} << (SIGCHLD - 1);
    TRY(sys::sigprocmask(SIG_SETMASK, ~uint64_t{0}));
    children_ = TRY(sys::signalfd(kChild, O_NONBLOCK));
    (void)sys::prctl(PR_SET_NAME, reinterpret_cast<unsigned long>("nsbox-init"));
    sys::umask(0);
    return Ok{};
  }

  // The first message, when this process was started ahead of its need.
  Result<Message> receive_first() {
    Message message = TRY(receive_message(channel_, {buffer_, kMaxMessage}));
    PrepareMessage prepare;
    if (message.size != sizeof prepare) return message;
    memcpy(&prepare, buffer_, sizeof prepare);
    if (prepare.magic != kPrepareMagic) return message;
    (void)sys::prctl(PR_SET_NAME, reinterpret_cast<unsigned long>("nsbox-ready"));
    TRY(make_namespaces(prepare.namespaces));
    prepared_ = prepare.namespaces;
    message = TRY(receive_message(channel_, {buffer_, kMaxMessage}));
    (void)sys::prctl(PR_SET_NAME, reinterpret_cast<unsigned long>("nsbox-init"));
    return message;
  }

  Result<PlanText> receive_plan() {
    buffer_ = arena_.allocate_array<char>(kMaxMessage);
    Message message = TRY(receive_first());
    if (message.size == 0) sys::exit(0);  // The starter is gone.
    PlanHeader header;
    if (message.size < sizeof header) return Error::invalid("plan: cut short");
    memcpy(&header, buffer_, sizeof header);
    const size_t size = size_t{header.json_size} + header.filter_size;
    std::string_view body(buffer_ + sizeof header, message.size - sizeof header);
    PlanText out;
    out.fds = std::move(message.fds);
    if (header.in_memfd && !out.fds.empty()) {
      body = TRY(map_text(out.fds[0].get(), size));
      out.fds.erase(out.fds.begin());
    }
    if (header.magic != kPlanMagic || body.size() != size || header.filter_size % sizeof(sock_filter))
      return Error::invalid("plan: not of this version");
    // The message's buffer is used again for requests; the plan's texts must stay.
    body = header.in_memfd ? body : arena_.copy(body);
    out.json = body.substr(0, header.json_size);
    auto* filter = arena_.allocate_array<sock_filter>(header.filter_size / sizeof(sock_filter));
    if (header.filter_size) memcpy(filter, body.data() + header.json_size, header.filter_size);
    out.filter = {filter, header.filter_size / sizeof(sock_filter)};
    return out;
  }

  Status wait_for_go() {
    Message message = TRY(receive_message(channel_, {buffer_, kMaxMessage}));
    if (message.size == 0) sys::exit(0);
    Request request;
    if (message.size < sizeof request)
      return Error::invalid("expected the word that the id maps are written");
    memcpy(&request, buffer_, sizeof request);
    if (request.kind != RequestKind::kGo)
      return Error::invalid("expected the word that the id maps are written");
    return Ok{};
  }

  int serve() {
    sys::Pollfd fds[2] = {{channel_, POLLIN, 0}, {children_.get(), POLLIN, 0}};
    for (;;) {
      (void)sys::poll(fds, 2, -1);
      if (fds[1].revents) reap();
      if (fds[0].revents && !serve_request()) return 0;
      if (!plan_->hold && processes_.empty()) return 0;
    }
  }

  // False when the starter is gone.
  bool serve_request() {
    const MemoryMark mark;
    auto message = receive_message(channel_, {buffer_, kMaxMessage});
    if (!message || message->size == 0) return false;
    Request request;
    if (message->size < sizeof request) return true;
    memcpy(&request, buffer_, sizeof request);
    std::string_view text(buffer_ + sizeof request, message->size - sizeof request);
    answer(request, text, std::move(message->fds));
    return true;
  }

  void answer(const Request& request, std::string_view text, Vector<UniqueFd> fds) {
    switch (request.kind) {
      case RequestKind::kExec:
        return execute(request, text, std::move(fds));
      case RequestKind::kSignal:
        // The process is ours to reap, so its pid is its own until we have done so.
        if (const pid_t pid = processes_.pid_of(request.id); pid > 0) {
          (void)sys::kill(pid, request.value);
          // Each leads a group of its own: what must die takes its children along.
          if (request.value == SIGKILL) (void)sys::kill(-pid, SIGKILL);
        }
        return;
      case RequestKind::kSignalAll:
        (void)sys::kill(-1, request.value);
        return;
      case RequestKind::kFiles:
        return send_files(request.id);
      case RequestKind::kGo:
        return;
    }
  }

  void execute(const Request& request, std::string_view text, Vector<UniqueFd> fds) {
    Arena arena;
    std::string_view whole = text;
    if (request.text_size > text.size() && !fds.empty()) {
      auto mapped = map_text(fds[0].get(), request.text_size);
      if (!mapped) return report_failure(request.id, mapped.error(), 125);
      whole = *mapped;
      fds.erase(fds.begin());
    }
    auto document = json::parse(whole, arena);
    if (!document) return report_failure(request.id, document.error(), 125);
    auto process = parse_process(*document, "process");
    if (!process) return report_failure(request.id, process.error(), 125);
    start(request.id, *process, fds);
    if (whole.data() != text.data()) (void)sys::munmap(const_cast<char*>(whole.data()), whole.size());
  }

  bool start(uint32_t id, const ProcessSpec& process, std::span<const UniqueFd> stdio) {
    if (processes_.full()) {
      report_failure(id, Error::plain(EAGAIN, "too many processes were started in this box"), 125);
      return false;
    }
    int exit_status = 125;
    auto started = start_process(process, stdio, box_->process_context(), exit_status);
    if (!started) {
      report_failure(id, started.error(), exit_status);
      return false;
    }
    processes_.add(id, started->pid);
    const int terminal = started->terminal.get();
    // The only process of a box is always pid 2 of it, and its end is told: its start need not be.
    if (!plan_->hold && terminal < 0) return true;
    (void)send(Reply{.kind = ReplyKind::kStarted, .id = id, .value = started->pid}, {},
               {&terminal, terminal >= 0 ? 1U : 0U});
    return true;
  }

  void reap() {
    char ignored[128];  // struct signalfd_siginfo: signals merge, so wait4 alone tells who ended.
    while (sys::read(children_.get(), ignored, sizeof ignored)) {
    }
    for (;;) {
      int wait_status = 0;
      rusage usage = {};
      auto pid = sys::wait4(-1, &wait_status, WNOHANG | __WALL, &usage);
      if (!pid || *pid == 0) return;
      if (const auto id = processes_.remove(*pid)) report_exit(*id, wait_status, usage);
    }
  }

  void report_exit(uint32_t id, int wait_status, const rusage& usage) {
    const auto microseconds = [](const timeval& time) {
      return static_cast<uint64_t>(time.tv_sec) * 1'000'000 + static_cast<uint64_t>(time.tv_usec);
    };
    (void)send(Reply{.kind = ReplyKind::kExited,
                     .id = id,
                     .value = wait_status,
                     .user_us = microseconds(usage.ru_utime),
                     .system_us = microseconds(usage.ru_stime),
                     .memory_peak_kb = static_cast<uint64_t>(usage.ru_maxrss)});
  }

  void report_failure(uint32_t id, const Error& error, int exit_status) {
    const String text = error.message();
    (void)send(Reply{.kind = ReplyKind::kFailed, .id = id, .value = error.err(), .status = exit_status},
               text.view());
  }

  void send_files(uint32_t id) {
    json::Writer targets;
    Vector<int> fds;
    fds.push_back(box_->rootfs().root.get());
    targets.begin_array();
    for (const OverlayLayer& layer : box_->rootfs().overlays) {
      targets.string(layer.target);
      fds.push_back(layer.upper.get());
    }
    targets.end_array();
    (void)send(Reply{.kind = ReplyKind::kFiles, .id = id}, targets.view(), fds);
  }

  Status send(const Reply& reply, std::string_view text = {}, std::span<const int> fds = {}) {
    const std::string_view parts[] = {{reinterpret_cast<const char*>(&reply), sizeof reply}, text};
    return send_message(channel_, parts, fds);
  }

  int channel_;
  Arena arena_;
  char* buffer_ = nullptr;
  UniqueFd children_;
  std::optional<Plan> plan_;
  std::optional<Box> box_;
  ProcessTable processes_;
  uint64_t prepared_ = 0;
  bool first_started_ = false;
};

}  // namespace

int run_init(int channel) { return Init(channel).run(); }

}  // namespace nsbox
