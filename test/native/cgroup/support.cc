#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "core/sys/file.h"

namespace nsbox::test {

bool in_machine() {
  const char* machine = getenv("NSBOX_VM");
  return machine && strcmp(machine, "1") == 0;
}

bool is_root() {
  if (geteuid() == 0) return true;
  skip("needs root to make cgroups");
  return false;
}

namespace {

bool on(cgroup::Version version, cgroup::Controllers controllers, const char* reason) {
  const cgroup::Layout layout = must(cgroup::read_layout());
  bool all = true;
  cgroup::for_each(controllers, [&](cgroup::Controller each) {
    const cgroup::HierarchyLayout* found = layout.find(each);
    all = all && found && found->version == version;
  });
  if (!all && version == cgroup::Version::kV2 && in_machine()) skip(reason);
  if (!all) skip_on_this_machine(reason);
  return all;
}

}  // namespace

bool on_v1(cgroup::Controllers controllers) {
  return is_root() && on(cgroup::Version::kV1, controllers, "needs these controllers in cgroup v1");
}

bool on_v2(cgroup::Controllers controllers) {
  return on(cgroup::Version::kV2, controllers, "needs these controllers in cgroup v2");
}

std::string text(std::string_view view) { return std::string(view); }

std::string read_in(const cgroup::GroupSet& set, cgroup::Controller controller, const char* file) {
  const cgroup::Hierarchy* group = set.find(controller);
  if (!group) return "(no such hierarchy)";
  auto content = read_file_at(group->dir.get(), file);
  if (!content) return text(content.error().message());
  std::string all = text(*content);
  while (!all.empty() && all.back() == '\n') all.pop_back();
  return all;
}

std::string memory_of(const cgroup::GroupSet& box) {
  const cgroup::Hierarchy* group = box.find(cgroup::Controller::kMemory);
  const bool v2 = group && group->version == cgroup::Version::kV2;
  return read_in(box, cgroup::Controller::kMemory, v2 ? "memory.max" : "memory.limit_in_bytes") + " " +
         read_in(box, cgroup::Controller::kMemory, v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes");
}

std::string outcome(const Status& status) { return status ? "ok" : text(status.error().message()); }

TestParent::TestParent(cgroup::Controllers wanted, std::span<const cgroup::DeviceRule> devices) {
  static int number = 0;
  const String name = format("nsbox-test-", getpid(), "-", ++number);
  parent_ = must(cgroup::create_parent(must(cgroup::read_layout()),
                                       {.name = name, .wanted = wanted, .devices = devices}));
  if (parent_.name.empty()) return;
  made_ = true;
}

TestParent::~TestParent() {
  if (!made_) return;
  const Status gone = cgroup::remove(parent_.bases, parent_.name.c_str());
  if (!gone) fail(__FILE__, __LINE__, text(gone.error().message()));
}

Child::Child(const cgroup::GroupSet& group, const std::function<int()>& body) {
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) != 0) return;
  pid_ = fork();
  if (pid_ == 0) {
    const Status entered = cgroup::attach_self(group);
    if (!entered) dprintf(2, "%s\n", outcome(entered).c_str());
    if (!entered) _exit(99);
    (void)!write(ready[1], "", 1);
    _exit(body());
  }
  close(ready[1]);
  char byte;
  (void)!read(ready[0], &byte, 1);
  close(ready[0]);
}

Child::~Child() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  (void)wait();
}

int Child::wait() {
  int status = -1;
  if (pid_ <= 0) return status;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return status;
}

std::string in_child(const std::function<std::string()>& body) {
  int answer[2];
  if (pipe2(answer, O_CLOEXEC) != 0) return "no pipe";
  const pid_t pid = fork();
  if (pid == 0) {
    const std::string result = body();
    (void)!write(answer[1], result.data(), result.size());
    _exit(0);
  }
  close(answer[1]);
  std::string all;
  char buffer[1024];
  for (ssize_t got; (got = read(answer[0], buffer, sizeof buffer)) > 0;)
    all.append(buffer, static_cast<size_t>(got));
  close(answer[0]);
  waitpid(pid, nullptr, 0);
  return all;
}

int sleep_for_ever() {
  for (;;) pause();
}

int fork_bomb() {
  signal(SIGCHLD, SIG_IGN);
  for (;;) {
    if (fork() < 0) usleep(100);
  }
}

V2View::V2View() {
  old_namespace_ = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  old_directory_ = open(".", O_PATH | O_CLOEXEC);
  made_ = unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  while (made_ && umount2("/sys/fs/cgroup", MNT_DETACH) == 0) {
  }
  made_ = made_ && mount("none", "/sys/fs/cgroup", "cgroup2", 0, nullptr) == 0;
  if (!made_) skip("cannot make a private view of cgroup v2");
}

V2View::~V2View() {
  if (old_namespace_ < 0) return;
  if (setns(old_namespace_, CLONE_NEWNS) != 0 || fchdir(old_directory_) != 0) abort();
  close(old_namespace_);
  close(old_directory_);
}

}  // namespace nsbox::test
