#include "core/cgroup/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstring>
#include <random>

#include "support.h"
#include "test.h"

using namespace nsbox;
using namespace nsbox::cgroup;
using namespace nsbox::test;

namespace {

struct Request {
  uint32_t type;
  uint32_t access;
  uint32_t major, minor;
};

// Runs a program as the kernel would; -1 for an instruction or a place that it may not have.
int run(const Vector<uint64_t>& words, const Request& request) {
  uint64_t registers[11] = {};
  const uint32_t context[3] = {request.type | request.access << 16, request.major, request.minor};
  for (size_t at = 0; at < words.size(); at++) {
    bpf_insn i;
    memcpy(&i, &words[at], sizeof i);
    uint64_t& target = registers[i.dst_reg];
    const auto imm = static_cast<uint32_t>(i.imm);
    switch (i.code) {
      case BPF_LDX | BPF_MEM | BPF_W:
        if (i.src_reg != 1 || i.off < 0 || i.off > 8 || i.off % 4) return -1;
        target = context[i.off / 4];
        break;
      case BPF_ALU | BPF_MOV | BPF_X:
        target = static_cast<uint32_t>(registers[i.src_reg]);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        target = static_cast<uint32_t>(target) & imm;
        break;
      case BPF_ALU | BPF_RSH | BPF_K:
        target = static_cast<uint32_t>(target) >> imm;
        break;
      case BPF_ALU64 | BPF_MOV | BPF_K:
        target = imm;
        break;
      case BPF_JMP32 | BPF_JNE | BPF_K:
        if (static_cast<uint32_t>(target) != imm) at += static_cast<size_t>(i.off);
        break;
      case BPF_JMP32 | BPF_JEQ | BPF_K:
        if (static_cast<uint32_t>(target) == imm) at += static_cast<size_t>(i.off);
        break;
      case BPF_JMP | BPF_EXIT:
        return static_cast<int>(registers[0]);
      default:
        return -1;
    }
  }
  return -1;
}

// The same in plain words: each wanted access is as the last rule says that has it.
bool allowed(std::span<const DeviceRule> rules, const Request& request) {
  for (const uint32_t bit : {BPF_DEVCG_ACC_MKNOD, BPF_DEVCG_ACC_READ, BPF_DEVCG_ACC_WRITE}) {
    if (!(request.access & bit)) continue;
    bool allow = false;
    for (const DeviceRule& rule : rules) {
      const bool type = rule.type == DeviceType::kAll ||
                        (rule.type == DeviceType::kBlock) == (request.type == BPF_DEVCG_DEV_BLOCK);
      const bool has = bit == BPF_DEVCG_ACC_MKNOD  ? rule.mknod
                       : bit == BPF_DEVCG_ACC_READ ? rule.read
                                                   : rule.write;
      if (type && has && rule.major.value_or(request.major) == request.major &&
          rule.minor.value_or(request.minor) == request.minor)
        allow = rule.allow;
    }
    if (!allow) return false;
  }
  return true;
}

// What a process in the group gets: "ok" or an errno's name for each device.
std::string opens(const GroupSet& box) {
  return in_child([&] {
    const Status entered = attach_self(box);
    if (!entered) return outcome(entered);
    std::string answer;
    for (const char* device : {"/dev/null", "/dev/urandom", "/dev/kmsg"})
      answer += open(device, O_RDONLY | O_CLOEXEC | O_NONBLOCK) >= 0 ? "ok "
                : errno == EPERM                                     ? "EPERM "
                                                                     : "? ";
    const std::string node = "/dev/shm/nsbox-test-node-" + std::to_string(getpid());
    answer += mknod(node.c_str(), S_IFBLK | 0600, makedev(7, 200)) == 0 ? "ok"
              : errno == EPERM                                          ? "EPERM"
                                                                        : "?";
    unlink(node.c_str());
    return answer;
  });
}

constexpr DeviceRule kDenyAll = {.allow = false};
constexpr DeviceRule kAllowNull = {.allow = true, .type = DeviceType::kChar, .major = 1, .minor = 3};

void expect_rules_hold(const char* view) {
  TestParent parent({}, default_device_rules());
  if (!parent) return;
  EXPECT_EQ(outcome(parent->require({Controller::kDevices})), "ok");
  auto box = must(create_group(parent->groups, "box", {Controller::kDevices}));
  EXPECT_EQ(std::string(view) + opens(box), std::string(view) + "ok ok EPERM ok");  // Inherited.

  const Limits narrower = {.devices = {kDenyAll, kAllowNull}};
  EXPECT_EQ(outcome(apply_limits(box, narrower)), "ok");
  EXPECT_EQ(std::string(view) + opens(box), std::string(view) + "ok EPERM EPERM EPERM");

  const Limits back = {
      .devices = {kDenyAll, kAllowNull, {.allow = true, .type = DeviceType::kChar, .major = 1, .minor = 9}}};
  EXPECT_EQ(outcome(apply_limits(box, back)), "ok");
  EXPECT_EQ(std::string(view) + opens(box), std::string(view) + "ok ok EPERM EPERM");
}

}  // namespace

TEST("cgroup devices: the program decides as the rules do") {
  std::mt19937 random(7);
  const auto below = [&](uint32_t end) { return static_cast<uint32_t>(random() % end); };
  for (int round = 0; round < 3000; round++) {
    Vector<DeviceRule> rules(below(7));
    for (DeviceRule& rule : rules) {
      rule = {.allow = below(2) == 0, .type = static_cast<DeviceType>(below(3))};
      if (below(2)) rule.major = below(3);
      if (below(2)) rule.minor = below(3);
      if (below(2)) rule.read = below(2) == 0, rule.write = below(2) == 0, rule.mknod = below(2) == 0;
    }
    const Vector<uint64_t> program = device_program(rules);
    for (uint32_t type = BPF_DEVCG_DEV_BLOCK; type <= BPF_DEVCG_DEV_CHAR; type++)
      for (uint32_t access = 1; access < 8; access++)
        for (uint32_t number = 0; number < 9; number++) {
          const Request request = {type, access, number / 3, number % 3};
          EXPECT_EQ(run(program, request), allowed(rules, request) ? 1 : 0);
        }
  }
}

TEST("cgroup devices: without rules all is denied, and numbers of 32 bits are compared whole") {
  EXPECT_EQ(run(device_program({}), {BPF_DEVCG_DEV_CHAR, BPF_DEVCG_ACC_READ, 1, 3}), 0);
  const DeviceRule large = {
      .allow = true, .type = DeviceType::kChar, .major = 0xFFFFFFFF, .minor = 0x80000000};
  const auto program = device_program(std::span(&large, 1));
  EXPECT_EQ(run(program, {BPF_DEVCG_DEV_CHAR, 7, 0xFFFFFFFF, 0x80000000}), 1);
  EXPECT_EQ(run(program, {BPF_DEVCG_DEV_CHAR, 7, 0xFFFFFFFF, 0}), 0);
}

TEST("cgroup devices: v1 boxes get what the rules allow, and no more than their parent") {
  if (on_v1({Controller::kDevices})) expect_rules_hold("v1: ");
}

TEST("cgroup devices: v2 boxes get what the rules allow, and no more than their parent") {
  if (!is_root()) return;
  const V2View view;
  if (view) expect_rules_hold("v2: ");
}

TEST("cgroup devices: v1 rules for both types mean only what they say") {
  if (!on_v1({Controller::kDevices})) return;
  TestParent parent({Controller::kDevices});
  if (!parent) return;
  auto box = must(create_group(parent->groups, "box", {Controller::kDevices}));
  const Limits limits = {.devices = {kDenyAll, {.allow = true, .write = false, .mknod = false}}};
  EXPECT_EQ(outcome(apply_limits(box, limits)), "ok");
  EXPECT_EQ(read_in(box, Controller::kDevices, "devices.list"), "b *:* r\nc *:* r");
}
