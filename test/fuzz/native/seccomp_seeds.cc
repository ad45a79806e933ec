#include "json_words.h"
#include "target.h"

namespace nsbox::fuzz {

std::vector<std::string> seeds() {
  return {
      R"({"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":1,"architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"],
"flags":["SECCOMP_FILTER_FLAG_LOG"],"syscalls":[{"names":["read","write","openat","clone"],"action":"SCMP_ACT_ALLOW"},
{"names":["personality"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":8,"op":"SCMP_CMP_EQ"}]},
{"names":["clone"],"action":"SCMP_ACT_KILL_PROCESS","args":[{"index":0,"value":2114060288,"valueTwo":0,"op":"SCMP_CMP_MASKED_EQ"},
{"index":1,"value":18446744073709551615,"op":"SCMP_CMP_LE"}]},
{"names":["clone3"],"action":"SCMP_ACT_ERRNO","errnoRet":38}]})",
      R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[]})", "{}"};
}

std::vector<std::string> words() {
  return json_words({"0",
                     "5",
                     "6",
                     "-1",
                     "18446744073709551615",
                     "4294967296",
                     "\"SCMP_ACT_KILL\"",
                     "\"SCMP_ACT_TRAP\"",
                     "\"SCMP_ACT_NOTIFY\"",
                     "\"SCMP_ACT_LOG\"",
                     "\"SCMP_CMP_NE\"",
                     "\"SCMP_CMP_GT\"",
                     "\"SCMP_CMP_LT\"",
                     "\"SCMP_CMP_GE\"",
                     "\"SCMP_CMP_MASKED_EQ\"",
                     "\"args\":[",
                     "\"names\":[\"read\"]",
                     "\"SCMP_ARCH_AARCH64\"",
                     "\"SCMP_ARCH_X32\"",
                     "\"architectures\":[",
                     "\"flags\":["});
}

}  // namespace nsbox::fuzz
