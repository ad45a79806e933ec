#include "core/mount/label.h"

#include "support.h"
#include "test.h"

using namespace nsbox;
using namespace nsbox::test;

TEST("mount label: a context's commas are kept together") {
  EXPECT_EQ(label_option("system_u:object_r:container_file_t:s0:c1,c2").view(),
            "context=\"system_u:object_r:container_file_t:s0:c1,c2\"");
}

TEST("mount label: for new file systems with files of their own alone") {
  for (const std::string_view type : {"tmpfs", "devpts", "overlay", "ramfs"})
    EXPECT(takes_label(filesystem(type, "/dir")));
  for (const std::string_view type : {"proc", "sysfs", "mqueue", "cgroup", "cgroup2"})
    EXPECT(!takes_label(filesystem(type, "/dir")));
  Mount again = filesystem("tmpfs", "/dir");
  again.remount = true;
  EXPECT(!takes_label(again));
  EXPECT(!takes_label(bound("/source", "/dir")));
}
