#include "core/ns/id_map.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "core/ns/namespaces.h"
#include "core/sys/file.h"
#include "support/forked.h"
#include "support/workspace.h"

using namespace nsbox;
using namespace nsbox::test;

TEST("id maps: are lines of container, host, size") {
  const IdMapping lines[] = {{0, 1000, 1}, {1, 100000, 65536}};
  EXPECT_EQ(id_map_text(lines).view(), std::string_view("0 1000 1\n1 100000 65536\n"));
  EXPECT_EQ(id_map_text({}).view(), std::string_view());
}

TEST("id maps: an ordinary user maps its own id, and no other") {
  in_fork([] {
    if (is_privileged()) become_ordinary();
    const IdMapping user[] = {{0, geteuid(), 1}}, group[] = {{0, getegid(), 1}};
    const IdMapping foreign[] = {{0, 0, 1}};
    EXPECT_EQ(unshare(CLONE_NEWUSER), 0);
    EXPECT_EQ(code_of(write_own_id_maps(foreign, foreign)), "EPERM");
    EXPECT_EQ(told(write_own_id_maps(user, group)), "ok");
    EXPECT_EQ(geteuid(), 0U);
    EXPECT_EQ(getegid(), 0U);
    EXPECT_EQ(code_of(write_own_id_maps(user, group)), "EPERM");
  });
}

TEST("namespaces: have the runtime-spec's names") {
  EXPECT_EQ(namespace_flag("network"), uint64_t{CLONE_NEWNET});
  EXPECT_EQ(namespace_flag("mount"), uint64_t{CLONE_NEWNS});
  EXPECT_EQ(namespace_flag("time"), uint64_t{0x80});
  for (const char* bad : {"", "net", "Network", "pid "}) EXPECT_EQ(namespace_flag(bad), uint64_t{0});
}

TEST("namespaces: one that is joined must be of its kind") {
  if (!is_privileged()) return skip("needs root");
  in_fork([] {
    EXPECT_EQ(told(join_namespace("/proc/self/ns/uts", CLONE_NEWUTS)), "ok");
    EXPECT_EQ(told(join_namespace("/proc/self/ns/net", CLONE_NEWUTS)),
              "join the namespace /proc/self/ns/net: EINVAL (Invalid argument)");
    EXPECT_EQ(told(join_namespace("/nowhere", CLONE_NEWUTS)),
              "open the namespace /nowhere: ENOENT (No such file or directory)");
    EXPECT_EQ(code_of(join_namespace("/etc/passwd", CLONE_NEWUTS)), "EINVAL");
  });
}
