#include "core/security/scheduling.h"

#include <sched.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/forked.h"
#include "support/workspace.h"

using namespace nsbox;
using namespace nsbox::test;

TEST("scheduling: knows the configuration's words") {
  EXPECT(scheduler_policy("SCHED_OTHER") == 0U && scheduler_policy("SCHED_DEADLINE") == 6U);
  EXPECT(!scheduler_policy("SCHED_FOO") && !scheduler_policy("") && !scheduler_policy("sched_other"));
  EXPECT(scheduler_flag("SCHED_FLAG_RESET_ON_FORK") == 1U && !scheduler_flag("X"));
  EXPECT(io_priority_class("IOPRIO_CLASS_RT") == 1U && io_priority_class("IOPRIO_CLASS_IDLE") == 3U);
  EXPECT(!io_priority_class("IOPRIO_CLASS_NONE"));
  EXPECT(memory_policy_mode("MPOL_WEIGHTED_INTERLEAVE") == 6U && memory_policy_flag("MPOL_F_STATIC_NODES"));
}

TEST("scheduling: a policy and its nice value are set") {
  in_fork([] {
    EXPECT_EQ(told(set_scheduler({.policy = SCHED_BATCH, .nice = 5})), "ok");
    EXPECT_EQ(sched_getscheduler(0), SCHED_BATCH);
    EXPECT_EQ(getpriority(PRIO_PROCESS, 0), 5);
    EXPECT(told(set_scheduler({.policy = 4})).starts_with("set the scheduler SCHED_ISO: EINVAL"));
  });
}

TEST("scheduling: the io priority is set") {
  in_fork([] {
    EXPECT_EQ(told(set_io_priority({.io_class = 2, .priority = 6})), "ok");
    EXPECT_EQ(syscall(SYS_ioprio_get, 1, 0), 2 << 13 | 6);
    EXPECT(told(set_io_priority({.io_class = 7, .priority = 0})).find("EINVAL") != std::string::npos);
  });
}

TEST("scheduling: the processors are chosen") {
  in_fork([] {
    cpu_set_t before, after;
    EXPECT(sched_getaffinity(0, sizeof before, &before) == 0);
    int cpu = 0;
    while (!CPU_ISSET(cpu, &before)) cpu++;
    EXPECT_EQ(told(set_cpu_affinity(std::to_string(cpu))), "ok");
    EXPECT(sched_getaffinity(0, sizeof after, &after) == 0);
    EXPECT(CPU_COUNT(&after) == 1 && CPU_ISSET(cpu, &after));
    EXPECT(told(set_cpu_affinity("8191")).starts_with("set the CPU affinity 8191: EINVAL"));
  });
}

TEST("scheduling: the memory policy is set") {
  in_fork([] {
    auto done = set_memory_policy(2, "0");
    if (done.err() == ENOSYS) return skip("this kernel has no memory policies");
    EXPECT_EQ(told(done), "ok");
    int mode = -1;
    unsigned long nodes[128] = {};
    EXPECT(syscall(SYS_get_mempolicy, &mode, nodes, 8192, nullptr, 0) == 0);
    EXPECT(mode == 2 && nodes[0] == 1);
    EXPECT_EQ(told(set_memory_policy(0, "")), "ok");
    EXPECT(told(set_memory_policy(2, "1023")).starts_with("set the memory policy MPOL_BIND on nodes 1023: "));
  });
}

TEST("scheduling: the personality is set") {
  in_fork([] {
    EXPECT_EQ(told(set_personality(PER_LINUX32)), "ok");
    EXPECT_EQ(personality(0xffffffff), static_cast<int>(PER_LINUX32));
    EXPECT_EQ(told(set_personality(PER_LINUX)), "ok");
  });
}
