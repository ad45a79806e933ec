#include "core/mount/overlay.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "core/layer/changes.h"
#include "core/mount/mount.h"
#include "core/sys/syscalls.h"
#include "support.h"
#include "support/forked.h"
#include "support/workspace.h"

using namespace nsbox;
using namespace nsbox::test;

namespace {

void writes_stay_above(OverlayMarks marks) {
  mkdir("/tmp/lower", 0750);
  mkdir("/tmp/merged", 0755);
  const UniqueFd lower(open("/tmp/lower", O_PATH | O_DIRECTORY | O_CLOEXEC));
  (void)UniqueFd(openat(lower.get(), "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
  MUST(scratch, Scratch::create(uint64_t{1} << 20));
  MUST(layer, scratch.add_layer(lower.get()));
  const int lowers[] = {lower.get()};
  const OverlayOptions options = {
      .lowers = lowers, .upper = layer.upper.get(), .work = layer.work.get(), .marks = marks};
  auto made = make_overlay(options);
  if (made.err() == 22 && scratch.attach()) made = make_overlay(options);
  if (!made) return fail(__FILE__, __LINE__, told(made));
  const UniqueFd target(open("/tmp/merged", O_PATH | O_CLOEXEC));
  EXPECT_EQ(told(attach_mount(made->get(), target.get())), "ok");
  struct stat info = {};
  EXPECT(stat("/tmp/merged", &info) == 0 && (info.st_mode & 07777) == 0750);
  EXPECT_EQ(unlink("/tmp/merged/file"), 0);
  EXPECT_EQ(mkdir("/tmp/merged/new", 0755), 0);
  EXPECT_EQ(access("/tmp/lower/file", F_OK), 0);
  EXPECT(access("/tmp/lower/new", F_OK) != 0);
  MUST(changes, list_changes(layer.upper.get(), lowers));
  EXPECT_EQ(changes.size(), size_t{2});
}

// Each holds one file that no other does, and one that all have: the topmost counts.
std::vector<UniqueFd> make_layers(int count) {
  std::vector<UniqueFd> layers;
  for (int i = 0; i < count; i++) {
    const std::string path = "/tmp/layer" + std::to_string(i);
    mkdir(path.c_str(), 0755);
    put((path + "/own" + std::to_string(i)).c_str());
    put((path + "/all").c_str(), std::to_string(i).c_str());
    layers.emplace_back(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  return layers;
}

void many_layers_are_one(int count, OverlayMarks marks) {
  const auto layers = make_layers(count);
  Vector<int> lowers;
  for (const UniqueFd& layer : layers) lowers.push_back(layer.get());
  mkdir("/tmp/upper", 0755);
  mkdir("/tmp/work", 0755);
  const UniqueFd upper(open("/tmp/upper", O_PATH | O_DIRECTORY | O_CLOEXEC));
  const UniqueFd work(open("/tmp/work", O_PATH | O_DIRECTORY | O_CLOEXEC));
  MUST(made, make_overlay({.lowers = lowers,
                           .upper = upper.get(),
                           .work = work.get(),
                           .marks = marks,
                           .attributes = MOUNT_ATTR_NODEV}));
  mkdir("/tmp/merged", 0755);
  const UniqueFd target(open("/tmp/merged", O_PATH | O_CLOEXEC));
  EXPECT_EQ(told(attach_mount(made.get(), target.get())), "ok");
  EXPECT_EQ(content("/tmp/merged/all"), "0");
  for (int i = 0; i < count; i++) EXPECT_EQ(access(("/tmp/merged/own" + std::to_string(i)).c_str(), F_OK), 0);
  put("/tmp/merged/new", "written");
  EXPECT_EQ(content("/tmp/upper/new"), "written");
}

constexpr int kMostLayers = 500;  // The kernel's own bound: OVL_MAX_STACK.

}  // namespace

TEST("overlay: as many layers as the kernel takes, one by one or in a page of options") {
  in_mount_namespace([] { many_layers_are_one(kMostLayers, OverlayMarks::kTrusted); });
  in_user_namespace([] { many_layers_are_one(kMostLayers, OverlayMarks::kUser); });
  in_mount_namespace([] {
    refuse_calls({SYS_fsopen}, ENOSYS);
    many_layers_are_one(kMostLayers, OverlayMarks::kTrusted);
  });
}

TEST("overlay: writes stay above, as root and in a user namespace") {
  in_mount_namespace([] { writes_stay_above(OverlayMarks::kTrusted); });
  in_user_namespace([] { writes_stay_above(OverlayMarks::kUser); });
}

TEST("overlay: the scratch space has its size, and each layer its own place") {
  in_mount_namespace([] {
    MUST(scratch, Scratch::create(uint64_t{64} * 1024));
    MUST(one, scratch.add_layer(scratch.fd()));
    MUST(two, scratch.add_layer(scratch.fd()));
    struct stat first = {}, second = {};
    EXPECT(fstat(one.upper.get(), &first) == 0 && fstat(two.upper.get(), &second) == 0);
    EXPECT(first.st_ino != second.st_ino && first.st_dev == second.st_dev);
    MUST(file, sys::openat(one.upper.get(), "f", O_CREAT | O_WRONLY, 0600));
    const std::string much(128 * 1024, 'x');
    EXPECT(write(file.get(), much.data(), much.size()) <= 64 * 1024);
  });
}

TEST("overlay: without an upper directory it is read-only") {
  in_mount_namespace([] {
    mkdir("/tmp/a", 0755);
    const UniqueFd lower(open("/tmp/a", O_PATH | O_DIRECTORY | O_CLOEXEC));
    const int lowers[] = {lower.get(), lower.get()};
    mkdir("/tmp/b", 0755);
    const UniqueFd other(open("/tmp/b", O_PATH | O_DIRECTORY | O_CLOEXEC));
    const int both[] = {lower.get(), other.get()};
    MUST(made, make_overlay({.lowers = both}));
    EXPECT_EQ(code_of(sys::mkdirat(made.get(), "x", 0755)), "EROFS");
    EXPECT(!make_overlay({.lowers = lowers}));
  });
}
