#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "test.h"

namespace nsbox::test {
namespace {

struct Test {
  const char* name;
  Body body;
};

std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

int failures_here = 0;
const char* skipped_here = nullptr;

// A test that hangs must not take the whole run along without a word of which it was.
constexpr unsigned kTestSeconds = 300;
const char* running_now = "";
void give_up(int) {
  for (const char* text : {"FAILED, still running: ", running_now, "\n"}) (void)!write(1, text, strlen(text));
  _exit(1);
}

}  // namespace

void add(const char* name, Body body) { tests().push_back({name, body}); }

void fail(const char* file, int line, const std::string& what) {
  std::printf("  %s:%d: expected %s\n", file, line, what.c_str());
  failures_here++;
}

int failures() { return failures_here; }

void skip(const char* reason) {
  const char* must = std::getenv("NSBOX_MUST_WORK");
  if (must && std::strcmp(must, "1") == 0) return fail("skip", 0, reason);
  skipped_here = reason;
}

void skip_on_this_machine(const char* reason) { skipped_here = reason; }

}  // namespace nsbox::test

int main(int argc, char** argv) {
  using namespace nsbox::test;
  int passed = 0, failed = 0, skipped = 0;
  setvbuf(stdout, nullptr, _IOLBF, 0);
  signal(SIGALRM, give_up);
  for (const auto& test : tests()) {
    if (argc > 1 && !std::strstr(test.name, argv[1])) continue;
    failures_here = 0;
    skipped_here = nullptr;
    running_now = test.name;
    alarm(kTestSeconds);
    test.body();
    alarm(0);
    if (failures_here) {
      std::printf("FAILED %s\n", test.name);
      failed++;
    } else if (skipped_here) {
      std::printf("skipped %s: %s\n", test.name, skipped_here);
      skipped++;
    } else {
      passed++;
    }
  }
  std::printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
  return failed ? 1 : 0;
}
