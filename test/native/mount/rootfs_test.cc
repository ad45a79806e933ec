#include "core/mount/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mount/mount.h"
#include "core/sys/file.h"
#include "support/forked.h"
#include "support/workspace.h"

// The root's propagation and the two ways into it. The mount namespace of a test plays the host, with a
// shared tmpfs on /tmp; what enters the root is a process with a copy of it.

using namespace nsbox;
using namespace nsbox::test;

namespace {

// The line of the topmost mount on the path, as this process sees it.
std::string mountinfo(const std::string& path) {
  auto text = read_file_at(AT_FDCWD, "/proc/self/mountinfo", size_t{1} << 24);
  if (!text) return "";
  std::istringstream lines{std::string(text->view())};
  std::string found;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields{line};
    std::string id, parent, device, root, place;
    fields >> id >> parent >> device >> root >> place;
    if (place == path) found = line;
  }
  return found;
}

size_t count_lines() {
  auto text = read_file_at(AT_FDCWD, "/proc/self/mountinfo", size_t{1} << 24);
  size_t count = 0;
  for (const char each : text->view()) count += each == '\n';
  return count;
}

void make_host() {
  EXPECT_EQ(mount(nullptr, "/", nullptr, MS_REC | MS_SHARED, nullptr), 0);
  for (const char* name :
       {"/tmp/root", "/tmp/root/proc", "/tmp/root/data", "/tmp/volume", "/tmp/volume/late"})
    mkdir(name, 0755);
  EXPECT_EQ(mount("/tmp/volume", "/tmp/volume", nullptr, MS_BIND, nullptr), 0);
}

// All that a runtime does: prepare, copy, stage, mount, enter.
UniqueFd enter(uint64_t requested, bool by_pivot, std::initializer_list<std::string_view> options) {
  EXPECT_EQ(unshare(CLONE_NEWNS), 0);
  const UniqueFd lower(open("/tmp/root", O_PATH | O_DIRECTORY | O_CLOEXEC));
  EXPECT_EQ(told(prepare_propagation(requested, lower.get())), "ok");
  auto root = copy_mount(lower.get(), "", true);
  EXPECT_EQ(told(stage_root_on(root->get(), lower.get())), "ok");
  Mount proc, volume;
  proc.destination = "/proc";
  proc.type = proc.source = "proc";
  EXPECT_EQ(told(mount_beneath(root->get(), proc)), "ok");
  volume.destination = "/data";
  volume.source = "/tmp/volume";
  for (const std::string_view option : options) add_mount_option(volume, option);
  EXPECT_EQ(told(mount_beneath(root->get(), volume)), "ok");
  EXPECT_EQ(told(by_pivot ? pivot_into(root->get(), requested) : move_into(root->get(), requested)), "ok");
  EXPECT_EQ(told(finish_propagation(requested, root->get())), "ok");
  return std::move(*root);
}

}  // namespace

TEST("root: entered by pivot or by a move, nothing of the host is changed or seen") {
  const uint64_t kinds[] = {0, MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE};
  for (const bool by_pivot : {true, false})
    for (const uint64_t kind : kinds)
      for (const uint64_t recursive : {uint64_t{0}, uint64_t{MS_REC}}) {
        if (!kind && recursive) continue;
        in_mount_namespace([&] {
          make_host();
          const size_t before = count_lines();
          in_fork([&] {
            const UniqueFd root = enter(kind | recursive, by_pivot, {"rbind", "rprivate"});
            EXPECT(access("/data/late", F_OK) == 0 && access("/tmp", F_OK) != 0);
            const std::string line = mountinfo("/");
            EXPECT_EQ(line.find(" shared:") != std::string::npos, kind == MS_SHARED);
            EXPECT_EQ(line.find("unbindable") != std::string::npos, kind == MS_UNBINDABLE);
            EXPECT(chdir("/") == 0 && chdir("../../..") == 0 && access("data", F_OK) == 0);
          });
          EXPECT_EQ(count_lines(), before);
          EXPECT(access("/proc/self", F_OK) == 0 && access("/sys/kernel", F_OK) == 0);
        });
      }
}

TEST("root: a slave goes on receiving from the host, and shows it nothing") {
  in_mount_namespace([] {
    make_host();
    int to_child[2], to_host[2];
    EXPECT(pipe2(to_child, O_CLOEXEC) == 0 && pipe2(to_host, O_CLOEXEC) == 0);
    const pid_t pid = fork();
    if (pid == 0) {
      const int before = failures();
      char byte = 0;
      const UniqueFd root = enter(MS_SLAVE | MS_REC, true, {"rbind", "rslave"});
      mkdir("/data/inner", 0755);
      EXPECT_EQ(mount("inner", "/data/inner", "tmpfs", 0, nullptr), 0);
      EXPECT_EQ(write(to_host[1], "x", 1), 1);
      EXPECT_EQ(read(to_child[0], &byte, 1), 1);
      EXPECT(mountinfo("/data/late").find(" late ") != std::string::npos);
      _exit(failures() != before);
    }
    char byte = 0;
    EXPECT_EQ(read(to_host[0], &byte, 1), 1);
    EXPECT_EQ(mountinfo("/tmp/volume/inner"), "");
    EXPECT_EQ(mount("late", "/tmp/volume/late", "tmpfs", 0, nullptr), 0);
    EXPECT_EQ(write(to_child[1], "x", 1), 1);
    EXPECT_EQ(exit_status_of(pid), 0);
  });
}

TEST("root: a shared volume shows the host what is mounted there, where the root was asked to share") {
  in_mount_namespace([] {
    make_host();
    in_fork([] {
      const UniqueFd root = enter(MS_SHARED, true, {"rbind", "rshared"});
      EXPECT_EQ(mount("inner", "/data/late", "tmpfs", 0, nullptr), 0);
    });
    EXPECT(mountinfo("/tmp/volume/late").find(" inner ") != std::string::npos);
  });
}
