#include "core/container/start_process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>

#include "support/forked.h"
#include "support/workspace.h"

using namespace nsbox;
using namespace nsbox::test;

namespace {

// The machine's own root serves as the box's: what is started is a child of this process.
struct Stage {
  UniqueFd root{open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
  UniqueFd proc{open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC)};
  ProcessSpec process;
  std::span<const sock_filter> filter;
  int exit_status = 0;

  explicit Stage(std::initializer_list<std::string_view> args) {
    process.args = Vector<std::string_view>(args);
    process.cwd = "/";
  }

  Result<StartedProcess> start(std::span<const UniqueFd> stdio) {
    auto bounding = bounding_capabilities();
    ProcessContext context;
    context.root = root.get();
    context.proc = proc.get();
    context.filter = filter;
    context.bounding = bounding ? *bounding : 0;
    context.clamp_capabilities = true;
    return start_process(process, stdio, context, exit_status);
  }

  // What it writes, and how it ends: "text|0".
  std::string outcome() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return "no pipe";
    const UniqueFd read_end(ends[0]);
    Vector<UniqueFd> stdio;
    stdio.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
    stdio.emplace_back(ends[1]);
    stdio.emplace_back(dup(2));
    auto started = start(stdio);
    stdio.clear();
    if (!started) return told(started) + "|" + std::to_string(exit_status);
    const std::string text = read_fd(read_end.get());
    return text + "|" + std::to_string(exit_status_of(started->pid));
  }
};

std::string shell(std::string_view script) { return Stage({"sh", "-c", script}).outcome(); }

}  // namespace

TEST("start: runs a program found in $PATH, and its status is its own") {
  in_fork([] {
    EXPECT_EQ(shell("echo hello; exit 3"), "hello\n|3");
    EXPECT_EQ(Stage({"/bin/echo", "a b", ""}).outcome(), "a b \n|0");
  });
}

TEST("start: what cannot be run is told as a shell would") {
  in_fork([] {
    EXPECT_EQ(Stage({"no-such-program"}).outcome(),
              "exec: \"no-such-program\": executable file not found in $PATH|127");
    EXPECT_EQ(Stage({"/no/such"}).outcome(), "exec: \"/no/such\": no such file or directory|127");
    EXPECT_EQ(Stage({"/etc"}).outcome(), "exec: \"/etc\": permission denied|126");
    EXPECT_EQ(Stage({"/etc/passwd"}).outcome(), "exec: \"/etc/passwd\": permission denied|126");
    const Workspace work;
    work.file("text", "no program\n", 0755);
    const std::string text = work.path("text");
    EXPECT_EQ(Stage({text}).outcome(), "exec: \"" + text + "\": exec format error|126");
    Stage nowhere({"sh"});
    nowhere.process.cwd = "/no/such/place";
    EXPECT_EQ(nowhere.outcome(),
              "enter the working directory /no/such/place: ENOENT (No such file or directory)|125");
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);  // A start that failed leaves no child.
  });
}

TEST("start: environment, directory and file mode mask are the process's own") {
  in_fork([] {
    setenv("SECRET", "of the starter", 1);
    Stage stage({"sh", "-c", "echo \"$A${SECRET-none}\"; pwd; umask"});
    stage.process.env = {"A=1", "PATH=/usr/bin:/bin"};
    stage.process.cwd = "/usr";
    stage.process.umask = 077;
    EXPECT_EQ(stage.outcome(), "1none\n/usr\n0077\n|0");
  });
}

TEST("start: nothing but stdin, stdout and stderr is inherited, and no signal is blocked or ignored") {
  in_fork([] {
    (void)!fcntl(open("/etc/passwd", O_RDONLY), F_DUPFD, 50);  // Deliberately without close-on-exec.
    signal(SIGPIPE, SIG_DFL);
    EXPECT_EQ(shell("ls /proc/self/fd | tr '\\n' ' '"), "0 1 2 3 |0");  // 3 is of ls itself.
    EXPECT_EQ(shell("grep -E '^Sig(Blk|Ign):' /proc/self/status | tr -d '\\n\\t'"),
              "SigBlk:0000000000000000SigIgn:0000000000000000|0");
  });
}

TEST("start: leads a session of its own") {
  in_fork([] {
    EXPECT_EQ(shell("set -- $(cat /proc/$$/stat); test $1 = $5 -a $1 = $6 && echo own"), "own\n|0");
  });
}

TEST("start: user, groups and capabilities are exactly those given") {
  if (!is_privileged()) return skip("needs root to become another user");
  in_fork([] {
    Stage stage({"sh", "-c", "id -u; id -g; id -G; grep ^Cap /proc/self/status | tr -d '\\n\\t'"});
    stage.process.user = 1234;
    stage.process.group = 2345;
    stage.process.additional_groups = {3456};
    EXPECT_EQ(stage.outcome(),
              "1234\n2345\n2345 3456\nCapInh:0000000000000000CapPrm:0000000000000000CapEff:0000000000000000"
              "CapBnd:0000000000000000CapAmb:0000000000000000|0");
    Stage root({"sh", "-c", "id -G; grep -E '^Cap(Prm|Eff)' /proc/self/status | tr -d '\\n\\t'"});
    EXPECT_EQ(root.outcome(), "0\nCapPrm:0000000000000000CapEff:0000000000000000|0");
  });
}

TEST("start: a user is looked up by name in the root's own files") {
  if (!is_privileged()) return skip("needs root to become another user");
  in_fork([] {
    const Workspace work;
    work.file("etc/passwd", "boxed:x:4321:5432:Box:/home/boxed:/bin/sh\n");
    work.file("etc/group", "more:x:6543:other,boxed\n");
    Stage stage({"sh", "-c", "id -u; id -G; echo $HOME"});
    stage.root = UniqueFd(open(work.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    stage.process.named_user = "boxed";
    EXPECT_EQ(stage.outcome(), "4321\n5432 6543\n/home/boxed\n|0");
    stage.process.named_user = "nobody-here";
    EXPECT_EQ(stage.outcome(), "no user nobody-here in the container's /etc/passwd|125");
    (void)unlinkat(work.fd(), "etc/passwd", 0);
    (void)mkfifoat(work.fd(), "etc/passwd", 0600);
    EXPECT_EQ(stage.outcome(), "/etc/passwd: not a regular file|125");
  });
}

TEST("start: no_new_privs and the filter are in force") {
  in_fork([] {
    Stage stage(
        {"sh", "-c",
         "grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status | tr -d '\\n\\t'; mkdir /tmp/x-$$ 2>/dev/null"});
    const sock_filter filter[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                                  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdirat, 1, 0),
#ifdef SYS_mkdir
                                  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdir, 0, 1),
#else
                                  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
#endif
                                  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
                                  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    stage.filter = filter;
    stage.process.no_new_privileges = true;
    EXPECT_EQ(stage.outcome(), "NoNewPrivs:1Seccomp:2|1");
  });
}

TEST("start: without its three descriptors nothing is started") {
  in_fork([] {
    Stage stage({"true"});
    EXPECT_EQ(told(stage.start({})), "the descriptors of stdin, stdout and stderr are missing");
  });
}

TEST("start: with a terminal it has it as its own") {
  if (!is_privileged()) return skip("needs root");
  in_mount_namespace([] {
    Stage stage({"sh", "-c", "test -t 0 && test -t 1 && stty size < /dev/tty"});
    stage.process.terminal = true;
    stage.process.columns = 77;
    stage.process.rows = 11;
    MUST(started, stage.start({}));
    const std::string text = read_fd(started.terminal.get());
    EXPECT_EQ(text, "11 77\r\n");
    EXPECT_EQ(exit_status_of(started.pid), 0);
  });
}
