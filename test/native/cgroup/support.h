#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "core/cgroup/cgroup.h"
#include "test.h"

// Real groups below our own, and processes to put into them. Everything is removed at the end of its scope.
namespace nsbox::test {

inline constexpr int64_t kMiB = 1 << 20;
// Those that set the limits of nearly every container.
inline constexpr cgroup::Controllers kLimiting = {cgroup::Controller::kMemory, cgroup::Controller::kCpu,
                                                  cgroup::Controller::kCpuset, cgroup::Controller::kPids,
                                                  cgroup::Controller::kBlkio};

// In the virtual machine of docs/testing-vm.md, which has cgroup v2 and systemd: what needs these must run
// there.
bool in_machine();
// Only root may make groups here. Prints the reason and ends the test otherwise.
bool is_root();
// As is_root(), and the controllers are in v1 or v2 hierarchies: some tests are about the files of one of
// them.
bool on_v1(cgroup::Controllers controllers);
bool on_v2(cgroup::Controllers controllers);

std::string text(std::string_view view);
std::string read_in(const cgroup::GroupSet& set, cgroup::Controller controller, const char* file);
// The limits on memory, and on memory and swap (v2: on swap alone).
std::string memory_of(const cgroup::GroupSet& box);
// The value; where there is none the test has failed.
template <typename T>
T must(Result<T> result) {
  if (result) return std::move(result).value();
  fail("must", 0, text(result.error().message()));
  return T();
}
// "ok", or the error's message.
std::string outcome(const Status& status);

// A parent of our own; its destructor expects that it can be removed.
class TestParent {
 public:
  explicit TestParent(cgroup::Controllers wanted, std::span<const cgroup::DeviceRule> devices = {});
  TestParent(const TestParent&) = delete;
  ~TestParent();
  explicit operator bool() const { return made_; }
  cgroup::Parent& operator*() { return parent_; }
  cgroup::Parent* operator->() { return &parent_; }

 private:
  cgroup::Parent parent_;
  bool made_ = false;
};

// A forked process that runs `body`, entered into the group first. Killed and reaped at the end of its scope.
class Child {
 public:
  explicit Child(const cgroup::GroupSet& group, const std::function<int()>& body);
  Child(const Child&) = delete;
  ~Child();
  pid_t pid() const { return pid_; }
  // The wait status; waits for the end.
  int wait();

 private:
  pid_t pid_ = -1;
};

// What `body` answers, run in a forked process.
std::string in_child(const std::function<std::string()>& body);

// Sleeps until killed.
int sleep_for_ever();
// Forks without end.
int fork_bomb();

// While it lives, this process sees cgroup v2 alone at /sys/fs/cgroup.
class V2View {
 public:
  V2View();
  V2View(const V2View&) = delete;
  ~V2View();
  // False when it could not be made; the test is then a skip.
  explicit operator bool() const { return made_; }

 private:
  int old_namespace_ = -1;
  int old_directory_ = -1;
  bool made_ = false;
};

}  // namespace nsbox::test
