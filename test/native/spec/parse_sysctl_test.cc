#include "core/spec/check.h"
#include "spec/read.h"

using namespace nsbox;
using namespace nsbox::test;

namespace {

const std::string kMine =
    R"("namespaces":[{"type":"network"},{"type":"ipc"},{"type":"uts"},{"type":"user"}],"sysctl":{)";

}  // namespace

TEST("sysctl: those of the container's own namespaces are set") {
  for (const char* fine :
       {"net.core.somaxconn", "net/core/somaxconn", "kernel.shmmax", "kernel/shmmax", "fs.mqueue.msg_max",
        "kernel.domainname", "kernel.sem_next_id", "user.max_pid_namespaces"})
    EXPECT_EQ(linux_says(kMine + "\"" + fine + "\":\"1\"}"), "ok");
}

TEST("sysctl: the host's are refused") {
  for (const char* bad : {"kernel.core_pattern", "kernel/core_pattern", "vm.overcommit_memory", "kernel.shm",
                          "kernel.shmmaxx", "fs.file-max", "netx", "net", "kernel.msg", "fs.mqueue",
                          "kernel.hostname.x", "kernel.net/core.x", "net.."})
    EXPECT(linux_says(kMine + "\"" + bad + "\":\"1\"}") != "ok");
  EXPECT_EQ(linux_says(kMine + R"("kernel.core_pattern":"1"})"),
            "linux.sysctl.kernel.core_pattern: would change the host: it belongs to no namespace of this "
            "container");
  EXPECT_EQ(
      linux_says(R"("sysctl":{"net.core.somaxconn":"1"})"),
      "linux.sysctl.net.core.somaxconn: would change the host: it belongs to no namespace of this container");
  EXPECT_EQ(linux_says(kMine + R"("kernel.hostname":"x"})"),
            "linux.sysctl.kernel.hostname: not allowed, as it conflicts with the field hostname: use that");
}

TEST("sysctl: a name leads nowhere else, and a value is one line") {
  for (const char* bad : {"net..core", "net//core", "net/../kernel/core_pattern", "net/./x", "", ".net",
                          "net.", "net.//.kernel/core_pattern", "net.\\u0000x"})
    EXPECT(linux_says(kMine + "\"" + bad + "\":\"1\"}").find("not a name and value") != std::string::npos);
  EXPECT(linux_says(kMine + R"("net.core.somaxconn":"1\n2"})").find("not a name and value") !=
         std::string::npos);
}

TEST("sysctl: the separator that does not come first stands for the other one") {
  for (const char* name : {"net.ipv4.conf.eth0/1.forwarding", "net/ipv4/conf/eth0.1/forwarding"}) {
    Read read("{\"linux\":{" + kMine + "\"" + name + "\":\"1\"}}}");
    MUST(config, read.config());
    EXPECT_EQ(config.sysctls[0].path, "net/ipv4/conf/eth0.1/forwarding");
    EXPECT_EQ(config.sysctls[0].name, name);
  }
}

TEST("sysctl: a joined network namespace may not be the caller's") {
  Read ours(R"({"linux":{"namespaces":[{"type":"network","path":"/proc/self/ns/net"}],
    "sysctl":{"net.core.somaxconn":"1"}}})");
  MUST(config, ours.config());
  EXPECT_EQ(told(check_sysctls_are_not_ours(config)),
            "linux.sysctl.net.core.somaxconn: not allowed in the host's network namespace");
  Read other(R"({"linux":{"namespaces":[{"type":"network","path":"/proc/self/ns/uts"}],
    "sysctl":{"net.core.somaxconn":"1"}}})");
  MUST(another, other.config());
  EXPECT_EQ(told(check_sysctls_are_not_ours(another)), "ok");
}
