#include "core/security/seccomp_compile.h"

#include <errno.h>
#include <linux/seccomp.h>

#include <string>
#include <vector>

#include "core/security/default_profile.h"
#include "core/security/seccomp_parse.h"
#include "core/security/syscall_table.h"
#include "security/bpf_interpreter.h"
#include "security/seccomp_judge.h"
#include "test.h"

using namespace nsbox;

namespace {

constexpr uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr uint32_t failing(uint32_t number) { return SECCOMP_RET_ERRNO | number; }

// A profile's text, compiled, and asked by a call's name.
class Compiled {
 public:
  explicit Compiled(std::string_view rules, std::string_view start = R"("defaultAction":"SCMP_ACT_ERRNO")")
      : text_(std::string("{") + std::string(start) + R"(,"syscalls":[)" + std::string(rules) + "]}") {
    auto value = json::parse(text_, arena_);
    auto profile = parse_seccomp(*value, arena_);
    auto program = compile_seccomp(*profile, {.native = Architecture::kX86_64});
    if (program)
      program_ = *program;
    else
      error = program.error().message().view();
  }

  uint32_t answer(std::string_view name, test::Arguments arguments = {},
                  Architecture architecture = Architecture::kX86_64) const {
    return answer_to(*syscall_number(*find_syscall(name), architecture), arguments, architecture);
  }
  uint32_t answer_to(uint32_t number, test::Arguments arguments = {},
                     Architecture architecture = Architecture::kX86_64) const {
    return test::run_filter(program_, test::call_data(architecture, number, arguments)).value_or(1);
  }

  std::string error;

 private:
  std::string text_;
  Arena arena_;
  std::vector<sock_filter> program_;
};

std::string rule(std::string_view name, std::string_view action, std::string_view rest = "") {
  return std::string(R"({"names":[")") + std::string(name) + R"("],"action":"SCMP_ACT_)" +
         std::string(action) + "\"" + std::string(rest) + "}";
}

std::string args(std::string_view list) { return std::string(R"(,"args":[)") + std::string(list) + "]"; }

std::string arg(unsigned index, std::string_view op, uint64_t value, uint64_t value_two = 0) {
  return R"({"index":)" + std::to_string(index) + R"(,"op":"SCMP_CMP_)" + std::string(op) + R"(","value":)" +
         std::to_string(value) + R"(,"valueTwo":)" + std::to_string(value_two) + "}";
}

}  // namespace

TEST("seccomp: every action has its answer") {
  const Compiled filter(rule("read", "ALLOW") + "," + rule("write", "KILL_PROCESS") + "," +
                        rule("open", "KILL") + "," + rule("close", "TRAP") + "," +
                        rule("stat", "TRACE", R"(,"errnoRet":300)") + "," + rule("fstat", "LOG") + "," +
                        rule("lstat", "ERRNO", R"(,"errnoRet":38)") + "," + rule("poll", "TRACE"));
  EXPECT_EQ(filter.answer("read"), kAllow);
  EXPECT_EQ(filter.answer("write"), SECCOMP_RET_KILL_PROCESS);
  EXPECT_EQ(filter.answer("open"), SECCOMP_RET_KILL_THREAD);
  EXPECT_EQ(filter.answer("close"), SECCOMP_RET_TRAP | 0u);
  EXPECT_EQ(filter.answer("stat"), SECCOMP_RET_TRACE | 300u);
  EXPECT_EQ(filter.answer("fstat"), SECCOMP_RET_LOG);
  EXPECT_EQ(filter.answer("lstat"), failing(38));
  EXPECT_EQ(filter.answer("poll"), SECCOMP_RET_TRACE | static_cast<uint32_t>(EPERM));
}

TEST("seccomp: arguments are compared in all their 64 bits") {
  constexpr uint64_t kValue = 0x100000002;
  struct {
    const char* op;
    bool below, equal, above;
  } cases[] = {{"EQ", false, true, false}, {"NE", true, false, true},  {"LT", true, false, false},
               {"LE", true, true, false},  {"GT", false, false, true}, {"GE", false, true, true}};
  for (const auto& each : cases) {
    const Compiled filter(rule("read", "ALLOW", args(arg(2, each.op, kValue))));
    const auto allows = [&](uint64_t value) { return filter.answer("read", {0, 0, value}) == kAllow; };
    for (const uint64_t value : {uint64_t{0}, uint64_t{3}, uint64_t{0xffffffff}, kValue - 1})
      EXPECT_EQ(allows(value), each.below);
    EXPECT_EQ(allows(kValue), each.equal);
    for (const uint64_t value : {kValue + 1, uint64_t{0x200000000}, uint64_t{0x200000001}, ~uint64_t{0}})
      EXPECT_EQ(allows(value), each.above);
  }
}

TEST("seccomp: a masked comparison looks at the mask's bits alone") {
  const Compiled filter(rule("read", "ALLOW", args(arg(0, "MASKED_EQ", 0xf0000000f0, 0xa000000050))));
  EXPECT_EQ(filter.answer("read", {0xa000000050}), kAllow);
  EXPECT_EQ(filter.answer("read", {0x0fa00000005f}), kAllow);
  EXPECT_EQ(filter.answer("read", {0xb000000050}), failing(EPERM));
  EXPECT_EQ(filter.answer("read", {0xa000000060}), failing(EPERM));
}

TEST("seccomp: conditions of one rule must all hold, one of several rules is enough") {
  const Compiled filter(rule("read", "ALLOW", args(arg(0, "EQ", 1) + "," + arg(1, "EQ", 2))) + "," +
                        rule("read", "ALLOW", args(arg(0, "EQ", 3))));
  EXPECT_EQ(filter.answer("read", {1, 2}), kAllow);
  EXPECT_EQ(filter.answer("read", {1, 3}), failing(EPERM));
  EXPECT_EQ(filter.answer("read", {3, 0}), kAllow);
}

TEST("seccomp: two conditions on one argument are two rules, as under runc") {
  const Compiled filter(
      rule("read", "ALLOW", args(arg(0, "EQ", 1) + "," + arg(0, "EQ", 2) + "," + arg(1, "EQ", 9))));
  EXPECT_EQ(filter.answer("read", {1, 0}), kAllow);
  EXPECT_EQ(filter.answer("read", {2, 0}), kAllow);
  EXPECT_EQ(filter.answer("read", {5, 9}), kAllow);
  EXPECT_EQ(filter.answer("read", {5, 5}), failing(EPERM));
}

TEST("seccomp: the first rule without conditions decides") {
  const Compiled filter(rule("read", "LOG", args(arg(0, "EQ", 1))) + "," + rule("read", "ALLOW") + "," +
                        rule("read", "KILL") + "," + rule("read", "TRAP", args(arg(0, "EQ", 2))));
  for (const uint64_t value : {0, 1, 2}) EXPECT_EQ(filter.answer("read", {value}), kAllow);
}

TEST("seccomp: rules that make an earlier one void are refused") {
  const Compiled filter(rule("read", "LOG", args(arg(0, "EQ", 1) + "," + arg(1, "EQ", 1))) + "," +
                        rule("read", "ALLOW", args(arg(0, "EQ", 1))));
  EXPECT_EQ(filter.error, "seccomp: rules for read contradict each other");
}

TEST("seccomp: an architecture that is not named is killed") {
  const Compiled filter(rule("read", "ALLOW"));
  EXPECT_EQ(filter.answer("read", {}, Architecture::kX86), SECCOMP_RET_KILL_THREAD);
  EXPECT_EQ(filter.answer("read", {}, Architecture::kAarch64), SECCOMP_RET_KILL_THREAD);
  EXPECT_EQ(filter.answer_to(kX32Bit | 0), SECCOMP_RET_KILL_THREAD);
  EXPECT_EQ(filter.answer_to(~uint32_t{0}), failing(EPERM));  // How a tracer skips a call.
}

TEST("seccomp: a named architecture has its own numbers") {
  const Compiled filter(
      rule("execve", "ALLOW"),
      R"("defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86","SCMP_ARCH_X32"])");
  EXPECT_EQ(filter.answer("execve"), kAllow);
  EXPECT_EQ(filter.answer("execve", {}, Architecture::kX86), kAllow);
  EXPECT_EQ(filter.answer_to(kX32Bit | 520), kAllow);
  EXPECT_EQ(filter.answer_to(kX32Bit | 59), failing(EPERM));
  EXPECT_EQ(filter.answer("execve", {}, Architecture::kArm), SECCOMP_RET_KILL_THREAD);
}

TEST("seccomp: what 32-bit x86 reaches through socketcall and ipc follows the rule") {
  const Compiled filter(rule("bind", "ALLOW") + "," + rule("shmat", "ALLOW"),
                        R"("defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86"])");
  EXPECT_EQ(filter.answer("socketcall", {2}, Architecture::kX86), kAllow);
  EXPECT_EQ(filter.answer("socketcall", {3}, Architecture::kX86), failing(EPERM));
  EXPECT_EQ(filter.answer("ipc", {21}, Architecture::kX86), kAllow);
  EXPECT_EQ(filter.answer("ipc", {22}, Architecture::kX86), failing(EPERM));
  EXPECT_EQ(filter.answer("bind", {}, Architecture::kX86), kAllow);
}

TEST("seccomp: calls newer than the profile do not exist, unless the default lets them pass") {
  for (const char* action : {"ERRNO", "KILL", "TRAP"}) {
    const Compiled filter(rule("statx", "ALLOW"),
                          R"("defaultAction":"SCMP_ACT_)" + std::string(action) + "\"");
    EXPECT_EQ(filter.answer("openat2"), failing(ENOSYS));
    EXPECT(filter.answer("mount") != failing(ENOSYS));
  }
  const Compiled filter(rule("statx", "KILL"), R"("defaultAction":"SCMP_ACT_ALLOW")");
  EXPECT_EQ(filter.answer("openat2"), kAllow);
}

TEST("seccomp: unknown names are ignored, or an error") {
  Arena arena;
  const std::string_view names[] = {"read", "no_such_call"};
  SeccompProfile profile;
  profile.syscalls.push_back({names, SeccompAction::kAllow, std::nullopt, {}});
  EXPECT(static_cast<bool>(compile_seccomp(profile)));
  auto strict = compile_seccomp(profile, {.unknown = UnknownSyscall::kFail});
  EXPECT_EQ(std::string(strict.error().message().view()),
            "seccomp: no architecture has a system call no_such_call");
}

TEST("seccomp: a filter that the kernel would not take is an error") {
  std::string rules;
  for (int i = 0; i < 1500; i++) {
    if (i > 0) rules += ',';
    rules += rule("read", "ALLOW", args(arg(0, "EQ", static_cast<uint64_t>(3 * i)) + "," + arg(1, "GT", 5)));
  }
  const Compiled filter(rules);
  EXPECT(filter.error.find("instructions, the kernel takes 4096") != std::string::npos);
}

TEST("seccomp: jumps over long stretches reach their target") {
  std::string rules;
  for (int i = 0; i < 500; i++) {
    if (i > 0) rules += ',';
    rules += rule(i % 2 ? "read" : "write", "ALLOW",
                  args(arg(0, "EQ", static_cast<uint64_t>(i)) + "," + arg(1, "NE", 7)));
  }
  const Compiled filter(rules + "," + rule("getpid", "LOG"));
  EXPECT_EQ(filter.error, "");
  for (uint64_t i = 0; i < 500; i++) {
    EXPECT_EQ(filter.answer("read", {i, 0}), i % 2 ? kAllow : failing(EPERM));
    EXPECT_EQ(filter.answer("write", {i, 0}), i % 2 ? failing(EPERM) : kAllow);
    EXPECT_EQ(filter.answer("read", {i, 7}), failing(EPERM));
  }
  EXPECT_EQ(filter.answer("getpid"), SECCOMP_RET_LOG);
  EXPECT_EQ(filter.answer("close"), failing(EPERM));
}

TEST("seccomp: the same profile gives the same program") {
  const SeccompProfile profile = default_seccomp_profile({});
  auto one = compile_seccomp(profile);
  auto other = compile_seccomp(profile);
  EXPECT_EQ(one->size(), other->size());
  EXPECT(std::memcmp(one->data(), other->data(), one->size() * sizeof(sock_filter)) == 0);
}
