#include "core/mount/overlay.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/layer/changes.h"
#include "core/mount/mount.h"
#include "core/sys/syscalls.h"
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

}  // namespace

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
