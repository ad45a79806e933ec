#include "core/security/rlimits.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "test.h"

using namespace nsbox;

TEST("rlimits: names and numbers") {
  EXPECT_EQ(rlimit_number("RLIMIT_NOFILE").value_or(99), static_cast<unsigned>(RLIMIT_NOFILE));
  EXPECT_EQ(rlimit_number("RLIMIT_RTTIME").value_or(99), static_cast<unsigned>(RLIMIT_RTTIME));
  EXPECT_EQ(rlimit_number("RLIMIT_CPU").value_or(99), static_cast<unsigned>(RLIMIT_CPU));
  for (const char* name : {"", "NOFILE", "RLIMIT_nofile", "RLIMIT_NOFIL"}) EXPECT(!rlimit_number(name));
  for (unsigned i = 0; i < 16; i++) EXPECT_EQ(rlimit_number(rlimit_name(i)).value_or(99), i);
  EXPECT_EQ(rlimit_name(16), "");
}

TEST("rlimits: are set") {
  const pid_t child = fork();
  if (child == 0) {
    const Rlimit limits[] = {{RLIMIT_NOFILE, 100, 200}, {RLIMIT_CORE, 0, 0}};
    rlimit files{}, core{};
    const bool good =
        set_rlimits(limits) && getrlimit(RLIMIT_NOFILE, &files) == 0 && getrlimit(RLIMIT_CORE, &core) == 0;
    _exit(good && files.rlim_cur == 100 && files.rlim_max == 200 && core.rlim_max == 0 ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST("rlimits: an error names the limit and both values") {
  const Rlimit limits[] = {{RLIMIT_NOFILE, 20, 10}};
  auto done = set_rlimits(limits);
  EXPECT(!done);
  const std::string message(done.error().message().view());
  EXPECT_EQ(message.substr(0, 33), "set RLIMIT_NOFILE to 20:10 (here ");
  EXPECT(message.find("): EINVAL (") != std::string::npos);
}
