#include <fcntl.h>
#include <linux/mount.h>

#include "core/mount/mount.h"
#include "test.h"

using namespace nsbox;

namespace {

Mount with(std::initializer_list<std::string_view> options) {
  Mount mount;
  for (const std::string_view option : options) add_mount_option(mount, option);
  return mount;
}

}  // namespace

TEST("mount options: each has its attribute, its opposite, and its recursive form") {
  struct Pair {
    const char* sets;
    const char* clears;
    uint64_t attribute;
  };
  constexpr Pair kPairs[] = {{"ro", "rw", MOUNT_ATTR_RDONLY},
                             {"nosuid", "suid", MOUNT_ATTR_NOSUID},
                             {"nodev", "dev", MOUNT_ATTR_NODEV},
                             {"noexec", "exec", MOUNT_ATTR_NOEXEC},
                             {"nodiratime", "diratime", MOUNT_ATTR_NODIRATIME},
                             {"nosymfollow", "symfollow", MOUNT_ATTR_NOSYMFOLLOW}};
  for (const Pair& pair : kPairs) {
    EXPECT_EQ(with({pair.sets}).set, pair.attribute);
    EXPECT_EQ(with({pair.clears}).clear, pair.attribute);
    const std::string sets = std::string("r") + pair.sets, clears = std::string("r") + pair.clears;
    EXPECT_EQ(with({sets}).set_recursive, pair.attribute);
    EXPECT_EQ(with({clears}).clear_recursive, pair.attribute);
    EXPECT(with({sets, clears}).set == 0 && with({sets, clears}).data.empty());
  }
}

TEST("mount options: the last of two that contradict each other counts") {
  EXPECT_EQ(with({"ro", "rw"}).set, uint64_t{0});
  EXPECT_EQ(with({"rw", "ro"}).set, uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_EQ(with({"rw", "ro"}).clear, uint64_t{0});
  EXPECT_EQ(with({"rro", "rrw"}).set_recursive, uint64_t{0});
}

TEST("mount options: access times replace each other, as one field") {
  const Mount noatime = with({"noatime"});
  EXPECT_EQ(noatime.set, uint64_t{MOUNT_ATTR_NOATIME});
  EXPECT_EQ(noatime.clear & MOUNT_ATTR__ATIME, uint64_t{MOUNT_ATTR__ATIME});
  EXPECT_EQ(with({"noatime", "strictatime"}).set, uint64_t{MOUNT_ATTR_STRICTATIME});
  EXPECT_EQ(with({"strictatime", "relatime"}).set, uint64_t{0});
  EXPECT_EQ(with({"rnoatime"}).set_recursive, uint64_t{MOUNT_ATTR_NOATIME});
  for (const char* name : {"atime", "norelatime", "nostrictatime"})
    EXPECT_EQ(with({"noatime", name}).set, uint64_t{0});
}

TEST("mount options: binds and propagation, plain and recursive") {
  EXPECT(with({"bind"}).bind && !with({"bind"}).bind_recursive);
  EXPECT(with({"rbind"}).bind && with({"rbind"}).bind_recursive);
  const std::pair<const char*, uint64_t> kinds[] = {
      {"private", 1 << 18}, {"slave", 1 << 19}, {"shared", 1 << 20}, {"unbindable", 1 << 17}};
  for (const auto& [name, flag] : kinds) {
    EXPECT(with({name}).propagation == flag && !with({name}).propagation_recursive);
    const std::string recursive = std::string("r") + name;
    EXPECT(with({recursive}).propagation == flag && with({recursive}).propagation_recursive);
  }
}

TEST("mount options: our own, the kernel's defaults, and what is left for the file system") {
  EXPECT(with({"nsbox.scratch"}).scratch_upper);
  EXPECT(with({"src-nofollow"}).source_nofollow);
  const Mount plain = with({"defaults", "async", ""});
  EXPECT(plain.data.empty() && !plain.set && !plain.clear && !plain.bind);
  const Mount data = with({"size=64k", "mode=755", "rorw", "xro", "r", "Ro"});
  EXPECT_EQ(data.data.size(), size_t{6});
  EXPECT_EQ(data.set, uint64_t{0});
}
