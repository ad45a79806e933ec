#include "core/security/seccomp_parse.h"

#include <linux/seccomp.h>

#include <string>

#include "core/security/default_profile.h"
#include "test.h"

using namespace nsbox;

namespace {

std::string error_of(std::string_view text) {
  Arena arena;
  auto value = json::parse(text, arena);
  if (!value) return "no JSON";
  auto profile = parse_seccomp(*value, arena);
  return profile ? "" : std::string(profile.error().message().view());
}

}  // namespace

TEST("seccomp profile: all members are read") {
  Arena arena;
  auto value = json::parse(R"({
    "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
    "architectures": ["SCMP_ARCH_X86", "SCMP_ARCH_MIPS", "SCMP_ARCH_X86"],
    "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
    "listenerPath": "/run/agent", "listenerMetadata": "who",
    "syscalls": [
      {"names": ["read", "write"], "action": "SCMP_ACT_KILL"},
      {"names": ["mount"], "action": "SCMP_ACT_NOTIFY"},
      {"names": ["kill"], "action": "SCMP_ACT_TRACE", "errnoRet": 7, "args": [
        {"index": 1, "value": 18446744073709551615, "valueTwo": 3, "op": "SCMP_CMP_MASKED_EQ"}]}]})",
                           arena);
  auto profile = parse_seccomp(*value, arena);
  EXPECT(static_cast<bool>(profile));
  EXPECT(profile->default_action == SeccompAction::kErrno);
  EXPECT_EQ(profile->default_errno.value_or(0), 38);
  EXPECT_EQ(profile->architectures.size(), 1u);
  EXPECT_EQ(profile->flags.value_or(0), SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
  EXPECT_EQ(profile->listener_path, "/run/agent");
  EXPECT_EQ(profile->listener_metadata, "who");
  EXPECT(profile->notifies());
  EXPECT_EQ(profile->syscalls.size(), 3u);
  EXPECT_EQ(profile->syscalls[0].names[1], "write");
  EXPECT(profile->syscalls[0].action == SeccompAction::kKillThread);
  EXPECT_EQ(profile->syscalls[2].errno_ret.value_or(0), 7);
  const SeccompArg& arg = profile->syscalls[2].args[0];
  EXPECT(arg.index == 1 && arg.value == ~uint64_t{0} && arg.value_two == 3);
  EXPECT(arg.op == SeccompOperator::kMaskedEqual);
}

TEST("seccomp profile: what is null or absent is empty") {
  EXPECT_EQ(
      error_of(R"({"defaultAction":"SCMP_ACT_ALLOW","architectures":null,"flags":null,"syscalls":null})"),
      "");
  EXPECT_EQ(error_of(R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
    {"names":["read"],"action":"SCMP_ACT_LOG","args":null,"errnoRet":null,"comment":"x"}]})"),
            "");
}

TEST("seccomp profile: an error names its place") {
  const auto rule = [](std::string_view member) {
    return error_of(std::string(R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],)") +
                    std::string(member) + "}]}");
  };
  EXPECT_EQ(error_of("[]"), "linux.seccomp: must be an object, not an array");
  EXPECT_EQ(error_of("{}"), "linux.seccomp.defaultAction: is missing");
  EXPECT_EQ(error_of(R"({"defaultAction":"SCMP_ACT_FOO"})"),
            "linux.seccomp.defaultAction: unknown action SCMP_ACT_FOO");
  EXPECT_EQ(error_of(R"({"defaultAction":"SCMP_ACT_ALLOW","architectures":["PDP11"]})"),
            "linux.seccomp.architectures[0]: unknown architecture PDP11");
  EXPECT_EQ(error_of(R"({"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_NEW_LISTENER"]})"),
            "linux.seccomp.flags[0]: unknown flag SECCOMP_FILTER_FLAG_NEW_LISTENER");
  EXPECT_EQ(error_of(R"({"defaultAction":"SCMP_ACT_ALLOW","defaultErrnoRet":1})"),
            "linux.seccomp.defaultErrnoRet: SCMP_ACT_ALLOW returns no errno");
  EXPECT_EQ(rule(R"("action":"SCMP_ACT_FOO")"),
            "linux.seccomp.syscalls[0].action: unknown action SCMP_ACT_FOO");
  EXPECT_EQ(rule(R"("action":"SCMP_ACT_ERRNO","errnoRet":4096)"),
            "linux.seccomp.syscalls[0].errnoRet: 4096 is too large");
  EXPECT_EQ(rule(R"("action":"SCMP_ACT_LOG","args":[{"index":6,"value":0,"op":"SCMP_CMP_EQ"}])"),
            "linux.seccomp.syscalls[0].args[0].index: 6 is beyond a call's six arguments");
  EXPECT_EQ(rule(R"("action":"SCMP_ACT_LOG","args":[{"index":0,"value":0,"op":"SCMP_CMP_XX"}])"),
            "linux.seccomp.syscalls[0].args[0].op: unknown operator SCMP_CMP_XX");
  EXPECT_EQ(rule(R"("action":"SCMP_ACT_LOG","args":[{"index":0,"value":-1,"op":"SCMP_CMP_EQ"}])"),
            "linux.seccomp.syscalls[0].args[0].value: must be a whole number from 0 to 2^64-1");
  EXPECT_EQ(rule(R"("action":"SCMP_ACT_NOTIFY")"),
            "linux.seccomp.listenerPath: is missing, but a rule notifies");
  EXPECT_EQ(error_of(R"({"defaultAction":"SCMP_ACT_NOTIFY","listenerPath":"/x"})"),
            "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be the default");
}

TEST("seccomp profile: what is written reads back the same") {
  for (const uint64_t capabilities : {uint64_t{0}, ~uint64_t{0}}) {
    const String written = profile_to_json(default_seccomp_profile({capabilities, Architecture::kX86_64}));
    Arena arena;
    auto value = json::parse(written, arena);
    auto profile = parse_seccomp(*value, arena);
    EXPECT(static_cast<bool>(profile));
    EXPECT(profile_to_json(*profile).view() == written.view());
  }
}
