#include "core/container/init.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "core/container/plan.h"
#include "core/container/protocol.h"
#include "core/process/channel.h"
#include "support/forked.h"
#include "support/workspace.h"

// A box's PID 1, forked from here into namespaces of its own, and spoken to as the addon does.

using namespace nsbox;
using namespace nsbox::test;

namespace {

constexpr std::string_view kConfig =
    R"({"root":{"path":"/"},"hostname":"boxed","process":{"args":["sh","-c","hostname; echo $$"],"cwd":"/",
        "env":["PATH=/usr/bin:/bin"]},
        "mounts":[{"destination":"/proc","type":"proc","source":"proc","options":["nosuid","nodev","noexec"]},
                  {"destination":"/dev","type":"tmpfs","source":"tmpfs","options":["nosuid","mode=755"]}],
        "linux":{"namespaces":[{"type":"pid"},{"type":"mount"},{"type":"uts"},{"type":"ipc"},{"type":"network"}],
                 "maskedPaths":["/proc/kcore"],"readonlyPaths":["/proc/sys"]}})";

class Box {
 public:
  Box() {
    auto pair = make_channel();
    if (!pair) return;
    ours_ = std::move(pair->ours);
    const int theirs = pair->theirs.get();
    fflush(stdout);
    // The next child is PID 1 of a namespace of its own.
    if (unshare(CLONE_NEWPID) != 0) fail(__FILE__, __LINE__, "unshare");
    pid_ = fork();
    if (pid_ == 0) {
      ours_.reset();
      _exit(run_init(theirs));
    }
  }
  ~Box() {
    ours_.reset();
    if (pid_ > 0) EXPECT(exit_status_of(pid_) >= 0);
  }

  Status send_plan(std::string_view json, std::span<const int> fds = {}) const {
    PlanHeader header;
    header.json_size = static_cast<uint32_t>(json.size());
    const std::string_view parts[] = {{reinterpret_cast<const char*>(&header), sizeof header}, json};
    return send_message(ours_.get(), parts, fds);
  }
  Status send(const Request& request, std::string_view text = {}, std::span<const int> fds = {}) const {
    const std::string_view parts[] = {{reinterpret_cast<const char*>(&request), sizeof request}, text};
    return send_message(ours_.get(), parts, fds);
  }

  struct Answer {
    Reply reply = {};
    std::string text;
    Vector<UniqueFd> fds;
  };
  Answer next() const {
    Answer answer;
    pollfd ready = {ours_.get(), POLLIN, 0};
    char buffer[8192];
    if (poll(&ready, 1, 20000) != 1) return answer;
    auto got = receive_message(ours_.get(), buffer);
    if (!got || got->size < sizeof answer.reply) return answer;
    memcpy(&answer.reply, buffer, sizeof answer.reply);
    answer.text.assign(buffer + sizeof answer.reply, got->size - sizeof answer.reply);
    answer.fds = std::move(got->fds);
    return answer;
  }

  int end() {
    ours_.reset();
    return exit_status_of(std::exchange(pid_, -1));
  }

 private:
  UniqueFd ours_;
  pid_t pid_ = -1;
};

std::string plan_with(std::string_view fields) {
  return "{\"config\":" + std::string(kConfig) + "," + std::string(fields) + "}";
}

struct Output {
  UniqueFd read_end;
  UniqueFd write_end;
  UniqueFd null{open("/dev/null", O_RDONLY | O_CLOEXEC)};
  int fds[3];
  Output() {
    int ends[2] = {-1, -1};
    (void)!pipe2(ends, O_CLOEXEC);
    read_end = UniqueFd(ends[0]);
    write_end = UniqueFd(ends[1]);
    fds[0] = null.get();
    fds[1] = fds[2] = write_end.get();
  }
  std::string all() {
    write_end.reset();
    return read_fd(read_end.get());
  }
};

}  // namespace

TEST("init: runs the first process, tells its end, and ends with it") {
  if (!is_privileged()) return skip("needs root");
  in_mount_namespace([] {
    Box box;
    Output output;
    EXPECT(box.send_plan(plan_with(R"("root":"overlay","start":true)"), output.fds));
    EXPECT_EQ(output.all(), "boxed\n2\n");
    const auto ended = box.next();
    EXPECT(ended.reply.kind == ReplyKind::kExited && ended.reply.id == 0 && ended.reply.value == 0);
    EXPECT_EQ(box.end(), 0);
  });
}

TEST("init: a held box serves processes, signals and its files") {
  if (!is_privileged()) return skip("needs root");
  in_mount_namespace([] {
    Box box;
    EXPECT(box.send_plan(plan_with(R"("root":"overlay","hold":true)")));
    const auto ready = box.next();
    EXPECT_EQ(ready.text, "");
    EXPECT(ready.reply.kind == ReplyKind::kReady);
    Output output;
    EXPECT(box.send({.kind = RequestKind::kExec, .id = 7},
                    R"({"args":["sh","-c","echo written > /made; cat /made; exit 5"],"cwd":"/"})",
                    output.fds));
    EXPECT_EQ(output.all(), "written\n");
    EXPECT(box.next().reply.kind == ReplyKind::kStarted);
    const auto ended = box.next();
    EXPECT(ended.reply.kind == ReplyKind::kExited && ended.reply.id == 7);
    EXPECT_EQ(WEXITSTATUS(ended.reply.value), 5);

    EXPECT(box.send({.kind = RequestKind::kFiles, .id = 8}));
    const auto files = box.next();
    EXPECT_EQ(files.text, "[\"/\"]");
    EXPECT_EQ(files.fds.size(), size_t{2});
    if (files.fds.size() == 2) {
      const UniqueFd made(openat(files.fds[1].get(), "made", O_RDONLY | O_CLOEXEC));
      EXPECT_EQ(read_fd(made.get()), "written\n");
    }
    EXPECT(access("/made", F_OK) != 0);

    Output sleeping;
    EXPECT(box.send({.kind = RequestKind::kExec, .id = 9}, R"({"args":["sleep","100"],"cwd":"/"})",
                    sleeping.fds));
    EXPECT(box.next().reply.kind == ReplyKind::kStarted);
    EXPECT(box.send({.kind = RequestKind::kSignal, .id = 9, .value = SIGTERM}));
    const auto killed = box.next();
    EXPECT(killed.reply.id == 9 && WTERMSIG(killed.reply.value) == SIGTERM);
  });
}

TEST("init: what cannot start is told, and the box goes on") {
  if (!is_privileged()) return skip("needs root");
  in_mount_namespace([] {
    Box box;
    EXPECT(box.send_plan(plan_with(R"("root":"overlay","hold":true)")));
    EXPECT(box.next().reply.kind == ReplyKind::kReady);
    const std::pair<const char*, const char*> cases[] = {
        {"{", "JSON: expected a member's name at byte 1"},
        {"[]", "process: expected an object, got an array"},
        {R"({"args":["no-such"],"cwd":"/"})", "exec: \"no-such\": executable file not found in $PATH"},
    };
    uint32_t id = 0;
    for (const auto& [text, message] : cases) {
      Output output;
      EXPECT(box.send({.kind = RequestKind::kExec, .id = ++id}, text, output.fds));
      const auto failed = box.next();
      EXPECT(failed.reply.kind == ReplyKind::kFailed && failed.reply.id == id);
      EXPECT_EQ(failed.text, message);
    }
    EXPECT(box.send({.kind = RequestKind::kExec, .id = 20}, R"({"args":["true"],"cwd":"/"})"));
    EXPECT_EQ(box.next().text, "the descriptors of stdin, stdout and stderr are missing");
  });
}

TEST("init: a plan that is not one, or cannot be met, names what is wrong") {
  if (!is_privileged()) return skip("needs root");
  const std::pair<std::string, const char*> cases[] = {
      {"{}", "plan.config: missing"},
      {"not JSON", "JSON: unexpected character at byte 0"},
      {R"({"config":{"root":{"path":"/nowhere"},"linux":{"namespaces":[{"type":"mount"}]}}})",
       "open the root /nowhere: ENOENT (No such file or directory)"},
      {R"({"config":{"root":{"path":"/"},"mounts":[{"destination":"/mnt","type":"nosuchfs"}],
           "linux":{"namespaces":[{"type":"mount"}]}},"root":"overlay"})",
       "mount nosuchfs on /mnt: this kernel has no file system nosuchfs: ENODEV (No such device)"},
  };
  for (const auto& [plan, message] : cases)
    in_mount_namespace([&plan, message] {
      Box box;
      EXPECT(box.send_plan(plan));
      const auto failed = box.next();
      EXPECT(failed.reply.kind == ReplyKind::kFailed && failed.reply.id == 0 && failed.reply.status == 125);
      EXPECT_EQ(failed.text, message);
      EXPECT_EQ(box.end(), 1);
    });
}

TEST("init: ends when its starter is gone, and takes the box along") {
  if (!is_privileged()) return skip("needs root");
  in_mount_namespace([] {
    Box before_plan;
    EXPECT_EQ(before_plan.end(), 0);
  });
  in_mount_namespace([] {
    Box box;
    EXPECT(box.send_plan(plan_with(R"("root":"overlay","hold":true)")));
    EXPECT(box.next().reply.kind == ReplyKind::kReady);
    Output output;
    EXPECT(
        box.send({.kind = RequestKind::kExec, .id = 1}, R"({"args":["sleep","100"],"cwd":"/"})", output.fds));
    EXPECT(box.next().reply.kind == ReplyKind::kStarted);
    EXPECT_EQ(box.end(), 0);
    EXPECT_EQ(output.all(), "");  // Comes to its end only when sleep has.
  });
}
