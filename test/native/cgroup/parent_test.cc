#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "core/sys/file.h"
#include "core/sys/syscalls.h"
#include "support.h"
#include "test.h"

using namespace nsbox;
using namespace nsbox::cgroup;
using namespace nsbox::test;

namespace {

// hugetlb is the one controller that v2 has on a hybrid machine; any other would do.
constexpr Controllers kReal = {Controller::kHugetlb};
constexpr Controllers kWanted = kReal | Controllers{Controller::kUnified};

constexpr uid_t kUser = 12345;
constexpr const char* kRoot = "/sys/fs/cgroup/";

std::string first_line(std::string all) { return all.substr(0, all.find('\n')); }

// A v2 group `<name>/main` below the root, as a service manager would delegate `<name>` to a user. The test's
// child enters main; nobody else is moved.
class Delegation {
 public:
  Delegation() : name_("nsbox-test-" + std::to_string(getpid()) + "-delegated") {
    const std::string top = kRoot + name_, main = top + "/main";
    made_ = write_value(std::string(kRoot) + "cgroup.subtree_control", "+hugetlb") &&
            mkdir(top.c_str(), 0755) == 0 && mkdir(main.c_str(), 0755) == 0;
    for (const std::string& dir : {top, main})
      for (const char* file : {"", "/cgroup.procs", "/cgroup.subtree_control", "/cgroup.threads"})
        made_ = made_ && chown((dir + file).c_str(), kUser, kUser) == 0;
  }
  Delegation(const Delegation&) = delete;
  ~Delegation() {
    GroupSet root;
    root.hierarchies.push_back({{Controller::kUnified}, Version::kV2, must(sys::open(kRoot, O_PATH))});
    EXPECT_EQ(outcome(remove(root, name_.c_str())), "ok");
  }
  explicit operator bool() const { return made_; }
  std::string path(const char* below) const { return kRoot + name_ + below; }
  bool enter(const char* below) const { return write_value(path(below) + "/cgroup.procs", "0"); }

  static bool write_value(const std::string& file, std::string_view value) {
    return static_cast<bool>(write_file_at(AT_FDCWD, file.c_str(), value));
  }

 private:
  std::string name_;
  bool made_ = false;
};

bool become_user() { return setresgid(kUser, kUser, kUser) == 0 && setresuid(kUser, kUser, kUser) == 0; }

// What `body` answers as the user to whom the group is delegated, from `place` in it.
std::string in_delegated(const Delegation& delegated, const char* place,
                         const std::function<std::string()>& body) {
  return in_child([&]() -> std::string {
    if (!delegated.enter(place)) return "cannot enter";
    return become_user() ? body() : "cannot become a user";
  });
}

// Makes a parent and a box as a user would, enters it, and tells where it is then.
std::string life_of_a_box() {
  auto layout = read_layout();
  if (!layout) return text(layout.error().message());
  auto parent = create_parent(*layout, {.name = "nsbox-owner", .wanted = kWanted});
  if (!parent) return text(parent.error().message());
  const Status has = parent->require(kWanted);
  if (!has) return text(has.error().message());
  auto box = create_group(parent->groups, "box", kWanted);
  if (!box) return text(box.error().message());
  const Status limited = apply_limits(*box, {.hugepages = {{"2MB", 2 << 20}}});
  if (!limited) return text(limited.error().message());
  const Status entered = attach_self(*box);
  if (!entered) return text(entered.error().message());
  auto groups = read_file_at(AT_FDCWD, "/proc/self/cgroup");
  const std::string all = groups ? text(*groups) : "";
  const size_t at = all.find("0::");
  return at == std::string::npos ? all : first_line(all.substr(at));
}

std::string cause_of(const Parent& parent, Controller controller) {
  for (const Unavailable& each : parent.missing)
    if (each.controller == controller)
      return std::to_string(static_cast<int>(each.cause)) + " " + text(each.text);
  return "not missing";
}

}  // namespace

TEST("cgroup parent: root makes it where v2 passes controllers on") {
  if (!is_root()) return;
  const V2View view;
  if (!view) return;
  TestParent parent(kWanted);
  if (!parent) return;
  EXPECT_EQ(outcome(parent->require(kWanted)), "ok");
  EXPECT_EQ(parent->groups.hierarchies.size(), 1U);
  auto box = must(create_group(parent->groups, "box", kWanted));
  EXPECT(read_in(box, Controller::kUnified, "cgroup.controllers").find("hugetlb") != std::string::npos);
}

TEST("cgroup parent: a user with a delegated group gets it beside the own one") {
  if (!is_root()) return;
  const V2View view;
  if (!view) return;
  const Delegation delegated;
  if (!delegated) return skip("cannot delegate hugetlb");
  const std::string seen = in_delegated(delegated, "/main", life_of_a_box);
  EXPECT_EQ(seen, "0::" + delegated.path("/nsbox-owner/box").substr(strlen(kRoot) - 1));
}

TEST("cgroup parent: a user whose group has processes and nothing above is told so") {
  if (!is_root()) return;
  const V2View view;
  if (!view) return;
  const Delegation delegated;
  if (!delegated) return skip("cannot delegate hugetlb");
  // In the delegated group itself: the rule of no internal processes stands in the way.
  const std::string seen = in_delegated(delegated, "", [] {
    auto parent = create_parent(must(read_layout()), {.name = "nsbox-owner", .wanted = kWanted});
    if (!parent) return outcome(parent.error());
    const Status lacks = parent->require(kReal);
    return std::to_string(lacks.err() == kNoController) + " " + cause_of(*parent, Controller::kHugetlb);
  });
  EXPECT(seen.starts_with("1 " + std::to_string(static_cast<int>(Cause::kHasProcesses)) +
                          " cgroup v2 controller hugetlb: the group /nsbox-test-"));
  EXPECT(seen.find("has processes of its own") != std::string::npos);
  EXPECT(seen.find("systemd-run --user --scope -p Delegate=yes") != std::string::npos);
}

TEST("cgroup parent: a user without any group to write is told so, and nothing is made") {
  if (!is_root()) return;
  const std::string seen = in_child([&]() -> std::string {
    if (!become_user()) return "cannot become a user";
    constexpr Controllers kSome = {Controller::kMemory, Controller::kPids, Controller::kUnified};
    auto parent = create_parent(must(read_layout()), {.name = "nsbox-test-user", .wanted = kSome});
    if (!parent) return outcome(parent.error());
    if (!parent->groups.hierarchies.empty()) return "made";
    std::string all;
    for_each(kSome, [&](Controller each) { all += first_line(cause_of(*parent, each)).substr(0, 2); });
    return all;
  });
  const std::string not_writable = std::to_string(static_cast<int>(Cause::kNotWritable)) + " ";
  EXPECT_EQ(seen, not_writable + not_writable + not_writable);
}

TEST("cgroup parent: what is mounted read-only, hidden or not at all is told apart") {
  if (!on_v1({Controller::kPids, Controller::kFreezer, Controller::kCpuset})) return;
  const std::string seen = in_child([&]() -> std::string {
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      return "no view";
    const Layout before = must(read_layout());
    const auto place = [&](Controller each) { return before.find(each)->mount_point.c_str(); };
    mount(nullptr, place(Controller::kPids), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr);
    mount("none", place(Controller::kFreezer), "tmpfs", 0, nullptr);
    umount2(place(Controller::kCpuset), MNT_DETACH);
    auto parent = create_parent(
        must(read_layout()),
        {.name = "nsbox-test-ro", .wanted = {Controller::kPids, Controller::kFreezer, Controller::kCpuset}});
    if (!parent) return outcome(parent.error());
    std::string all = std::to_string(parent->groups.hierarchies.size());
    for (const Controller each : {Controller::kPids, Controller::kFreezer, Controller::kCpuset})
      all += "; " + cause_of(*parent, each);
    return all;
  });
  EXPECT(seen.starts_with("0; " + std::to_string(static_cast<int>(Cause::kReadOnly)) +
                          " cgroup v1 controller pids"));
  EXPECT(seen.find("another mount hides the cgroup hierarchy") != std::string::npos);
}

TEST("cgroup parent: a cgroup namespace that hides our group is no way out of its limits") {
  if (!is_root()) return;
  TestParent parent({Controller::kPids});
  if (!parent) return;
  auto box = must(create_group(parent->groups, "box", {Controller::kPids}));
  const std::string seen = in_child([&]() -> std::string {
    if (!attach_self(box) || unshare(CLONE_NEWCGROUP) != 0) return "no namespace";
    auto inner =
        create_parent(must(read_layout()), {.name = "nsbox-test-inner", .wanted = {Controller::kPids}});
    if (!inner) return outcome(inner.error());
    return cause_of(*inner, Controller::kPids);
  });
  EXPECT(seen.starts_with(std::to_string(static_cast<int>(Cause::kNotVisible)) + " "));
}

TEST("cgroup parent: a process can be born in its v2 group") {
  if (!is_root()) return;
  TestParent parent({Controller::kUnified});
  if (!parent) return;
  auto box = must(create_group(parent->groups, "box", {Controller::kUnified}));
  clone_args args = {};
  args.flags = CLONE_INTO_CGROUP;
  args.exit_signal = SIGCHLD;
  args.cgroup = static_cast<uint64_t>(box.unified());
  const long pid = syscall(SYS_clone3, &args, sizeof args);
  if (pid == 0) _exit(sleep_for_ever());
  const auto inside = must(procs(box));
  EXPECT(inside.size() == 1 && inside.front() == pid);
  EXPECT_EQ(outcome(remove(parent->groups, "box")), "ok");
  EXPECT(waitpid(static_cast<pid_t>(pid), nullptr, 0) == pid);
}

TEST("cgroup parent: OCI's cgroupsPath, relative and absolute") {
  if (!on_v1({Controller::kPids, Controller::kCpuset})) return;
  const Layout layout = must(read_layout());
  const std::string top = "nsbox-test-" + std::to_string(getpid()) + "-path";
  constexpr Controllers kSome = {Controller::kPids, Controller::kCpuset, Controller::kUnified};
  for (const std::string& path : {top + "/a/b", "/" + top + "/a/b"}) {
    EXPECT_EQ(must(open_at_path(layout, path)).groups.hierarchies.size(), 0U);
    auto made = must(create_at_path(layout, path, kSome));
    EXPECT_EQ(outcome(made.require(kSome)), "ok");
    EXPECT_EQ(made.name.view(), std::string_view("b"));
    Child child(made.groups, sleep_for_ever);
    EXPECT_EQ(must(open_at_path(layout, path)).groups.hierarchies.size(), 3U);
    EXPECT_EQ(must(procs(must(open_at_path(layout, path)).groups)).size(), 1U);
    auto above = must(open_at_path(layout, path.substr(0, path.find(top) + top.size())));
    EXPECT_EQ(outcome(remove(above.bases, top.c_str())), "ok");
  }
  for (const char* bad : {"", "/", "a/../b", "a//b", "./a"})
    EXPECT_EQ(create_at_path(layout, bad, kSome).err(), EINVAL);
}
