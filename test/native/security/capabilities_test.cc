#include "core/security/capabilities.h"

#include <linux/capability.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "core/sys/syscalls.h"
#include "test.h"

using namespace nsbox;

namespace {

constexpr CapabilityMask mask(unsigned number) { return CapabilityMask{1} << number; }

int exit_status_of(int (*body)()) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

}  // namespace

TEST("capabilities: names and numbers") {
  EXPECT_EQ(capability_number("CAP_CHOWN").value_or(99), 0u);
  EXPECT_EQ(capability_number("CAP_SYS_ADMIN").value_or(99), static_cast<unsigned>(CAP_SYS_ADMIN));
  EXPECT_EQ(capability_number("CAP_CHECKPOINT_RESTORE").value_or(99), 40u);
  for (const char* name : {"", "SYS_ADMIN", "cap_sys_admin", "CAP_SYS_ADMI", "CAP_41"})
    EXPECT(!capability_number(name));
  for (unsigned i = 0; i < kNamedCapabilities; i++)
    EXPECT_EQ(capability_number(capability_name(i)).value_or(99), i);
  EXPECT_EQ(capability_name(41), "");
}

TEST("capabilities: the kernel's last one") {
  auto last = last_capability();
  EXPECT(last && *last >= CAP_CHECKPOINT_RESTORE && *last < 64);
  auto all = all_capabilities();
  EXPECT(all && (*all & mask(*last)) && !(*all >> *last >> 1));
}

TEST("capabilities: what is beyond the bounding set is named") {
  CapabilitySets wanted;
  wanted.bounding = mask(CAP_SYS_RESOURCE) | mask(CAP_CHOWN);
  auto checked = check_capabilities(wanted, mask(CAP_CHOWN));
  EXPECT_EQ(std::string(checked.error().message().view()), "CAP_SYS_RESOURCE is not in our bounding set");
  EXPECT_EQ(checked.err(), EPERM);
  EXPECT(static_cast<bool>(check_capabilities(clamp_capabilities(wanted, mask(CAP_CHOWN)), mask(CAP_CHOWN))));
}

TEST("capabilities: sets that the kernel would refuse are named") {
  CapabilitySets wanted;
  wanted.effective = mask(CAP_KILL);
  EXPECT_EQ(std::string(check_capabilities(wanted, ~uint64_t{0}).error().message().view()),
            "effective capabilities: CAP_KILL is not in the permitted set");
  wanted = {};
  wanted.ambient = wanted.permitted = mask(CAP_KILL);
  EXPECT_EQ(std::string(check_capabilities(wanted, ~uint64_t{0}).error().message().view()),
            "ambient capabilities: CAP_KILL is not in the inheritable set");
}

TEST("capabilities: clamping keeps sets that the kernel takes") {
  CapabilitySets wanted;
  wanted.bounding = wanted.effective = wanted.permitted = wanted.inheritable = wanted.ambient = ~uint64_t{0};
  const CapabilitySets clamped = clamp_capabilities(wanted, 0xff);
  EXPECT_EQ(clamped.bounding, 0xffu);
  EXPECT_EQ(clamped.ambient, 0xffu);
  EXPECT(static_cast<bool>(check_capabilities(clamped, 0xff)));
}

TEST("capabilities: all five sets are exactly as given, after a change of user") {
  if (geteuid() != 0) test::skip("needs root");
  const int status = exit_status_of([] {
    CapabilitySets wanted;
    wanted.bounding = mask(CAP_CHOWN) | mask(CAP_KILL) | mask(CAP_NET_BIND_SERVICE) | mask(CAP_SETUID);
    wanted.permitted = mask(CAP_CHOWN) | mask(CAP_KILL) | mask(CAP_NET_BIND_SERVICE);
    wanted.effective = mask(CAP_KILL);
    wanted.inheritable = mask(CAP_NET_BIND_SERVICE) | mask(CAP_KILL);
    wanted.ambient = mask(CAP_NET_BIND_SERVICE);
    auto bounding = bounding_capabilities();
    if (!bounding || !check_capabilities(wanted, *bounding)) return 1;
    if (!keep_capabilities_over_setuid() || !drop_bounding(wanted.bounding)) return 2;
    if (!sys::setresuid(1234) || !set_capabilities(wanted)) return 3;
    auto now = current_capabilities();
    return now && *now == wanted && sys::getuid() == 1234 ? 0 : 4;
  });
  EXPECT_EQ(status, 0);
}

TEST("capabilities: nothing is left of no capabilities") {
  if (geteuid() != 0) test::skip("needs root");
  const int status = exit_status_of([] {
    auto before = current_capabilities();
    if (!before || before->bounding == 0) return 1;
    if (!drop_bounding(0, before->bounding) || !set_capabilities({})) return 2;
    auto now = current_capabilities();
    if (!now || *now != CapabilitySets{}) return 3;
    // It cannot be taken back.
    CapabilitySets one;
    one.permitted = mask(CAP_CHOWN);
    return set_capabilities(one).err() == EPERM ? 0 : 4;
  });
  EXPECT_EQ(status, 0);
}

TEST("capabilities: who may not drop can do without where there is nothing to drop, and nowhere else") {
  if (geteuid() != 0) test::skip("needs root");
  const int status = exit_status_of([] {
    auto bounding = bounding_capabilities();
    if (!bounding || !(*bounding & mask(CAP_CHOWN))) return 1;
    if (!drop_bounding(mask(CAP_CHOWN), *bounding) || !set_capabilities({})) return 2;
    if (!drop_bounding(mask(CAP_CHOWN), ~CapabilityMask{0})) return 3;
    return drop_bounding(0, ~CapabilityMask{0}).err() == EPERM ? 0 : 4;
  });
  EXPECT_EQ(status, 0);
}

TEST("capabilities: an ambient set from before does not stay") {
  if (geteuid() != 0) test::skip("needs root");
  const int status = exit_status_of([] {
    auto had = current_capabilities();
    CapabilitySets sets = *had;
    sets.inheritable = sets.ambient = mask(CAP_CHOWN) | mask(CAP_KILL);
    if (!set_capabilities(sets)) return 1;
    sets.ambient = mask(CAP_KILL);
    if (!set_capabilities(sets)) return 2;
    auto now = current_capabilities();
    return now->ambient == mask(CAP_KILL) ? 0 : 3;
  });
  EXPECT_EQ(status, 0);
}

TEST("capabilities: the bounding set is read only where it is asked for") {
  auto all = bounding_capabilities();
  auto some = bounding_capabilities(mask(CAP_CHOWN) | mask(CAP_SYS_ADMIN) | mask(63));
  EXPECT(all && some);
  EXPECT_EQ(*some, *all & (mask(CAP_CHOWN) | mask(CAP_SYS_ADMIN)));
}
