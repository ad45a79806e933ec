#include "core/mount/label.h"

#include "test.h"

using namespace nsbox;

TEST("mount label: a context's commas are kept together") {
  EXPECT_EQ(label_option("system_u:object_r:container_file_t:s0:c1,c2").view(),
            "context=\"system_u:object_r:container_file_t:s0:c1,c2\"");
}

TEST("mount label: for new file systems with files of their own alone") {
  for (const std::string_view type : {"tmpfs", "devpts", "overlay", "ramfs"})
    EXPECT(takes_label({.type = type}));
  for (const std::string_view type : {"proc", "sysfs", "mqueue", "cgroup", "cgroup2"})
    EXPECT(!takes_label({.type = type}));
  EXPECT(!takes_label({.type = "tmpfs", .remount = true}));
  EXPECT(!takes_label({.bind = true}));
}
