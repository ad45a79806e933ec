#include <fcntl.h>
#include <linux/mount.h>

#include <tuple>

#include "core/mount/mount.h"
#include "test.h"

using namespace nsbox;

namespace {

constexpr uint64_t kRecursive = 1 << 14;

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
  EXPECT_EQ(with({"rrw", "rro"}).clear_recursive, uint64_t{0});
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
    EXPECT(with({name}).propagations == Vector<uint64_t>{flag});
    const std::string recursive = std::string("r") + name;
    EXPECT(with({recursive}).propagations == Vector<uint64_t>{flag | kRecursive});
    EXPECT_EQ(propagation_flags(recursive), flag | kRecursive);
  }
  const Mount several = with({"rslave", "shared"});
  EXPECT((several.propagations == Vector<uint64_t>{1 << 19 | kRecursive, 1 << 20}));
  EXPECT_EQ(propagation_flags("sideways"), uint64_t{0});
}

TEST("mount options: flags of the file system, and their opposites") {
  const std::tuple<const char*, const char*, uint64_t> flags[] = {{"sync", "async", 16},
                                                                  {"mand", "nomand", 64},
                                                                  {"silent", "loud", 1 << 15},
                                                                  {"iversion", "noiversion", 1 << 23},
                                                                  {"lazytime", "nolazytime", 1 << 25}};
  for (const auto& [sets, clears, flag] : flags) {
    EXPECT(with({sets}).set_super == flag && with({sets}).data.empty());
    EXPECT(with({sets, clears}).set_super == 0 && with({sets, clears}).clear_super == flag);
    EXPECT(with({clears, sets}).set_super == flag && with({clears, sets}).clear_super == 0);
  }
  EXPECT_EQ(with({"dirsync"}).set_super, uint64_t{128});
}

TEST("mount options: those of the runtime") {
  EXPECT(with({"tmpcopyup"}).copy_up && with({"remount"}).remount && with({"copy-symlink"}).copy_symlink);
  EXPECT(with({"dest-nofollow"}).dest_nofollow && with({"src-nofollow"}).source_nofollow);
  EXPECT(with({"idmap"}).idmap && !with({"idmap"}).idmap_recursive);
  EXPECT(with({"ridmap"}).idmap && with({"ridmap"}).idmap_recursive);
  const Mount mapped = with({"idmap=uids=0-1000-10#10-2000-5;gids=0-100-1"});
  EXPECT(mapped.idmap && mapped.user_mappings.size() == 2 && mapped.group_mappings.size() == 1);
  EXPECT(mapped.user_mappings[1].container == 10 && mapped.user_mappings[1].host == 2000 &&
         mapped.user_mappings[1].size == 5);
  // What is no mapping is not taken for one: the file system will refuse it.
  EXPECT_EQ(with({"idmap=uids=0-x-1"}).data.size(), size_t{1});
}

TEST("mount options: our own, the kernel's defaults, and what is left for the file system") {
  EXPECT(with({"nsbox.scratch"}).scratch_upper);
  EXPECT(with({"src-nofollow"}).source_nofollow);
  const Mount plain = with({"defaults", ""});
  EXPECT(plain.data.empty() && !plain.set && !plain.clear && !plain.bind);
  const Mount data = with({"size=64k", "mode=755", "rorw", "xro", "r", "Ro"});
  EXPECT_EQ(data.data.size(), size_t{6});
  EXPECT_EQ(data.set, uint64_t{0});
}
