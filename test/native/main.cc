#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "test.h"

namespace nsbox::test {
namespace {

struct Test {
  const char* file;
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
constexpr int kSlowSeconds = 10;  // What takes longer is named.
const char* running_now = "";
void give_up(int) {
  for (const char* text : {"FAILED, still running: ", running_now, "\n"}) (void)!write(1, text, strlen(text));
  _exit(1);
}

// Part of a test's name, or of the name of its file.
bool is_wanted(const Test& test, const char* part) {
  return !part || std::strstr(test.name, part) || std::strstr(test.file, part);
}

}  // namespace

void add(const char* file, const char* name, Body body) { tests().push_back({file, name, body}); }

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
    if (!is_wanted(test, argc > 1 ? argv[1] : nullptr)) continue;
    failures_here = 0;
    skipped_here = nullptr;
    running_now = test.name;
    const time_t began = time(nullptr);
    alarm(kTestSeconds);
    test.body();
    alarm(0);
    if (const auto seconds = static_cast<int>(time(nullptr) - began); seconds > kSlowSeconds)
      std::printf("slow (%d s) %s\n", seconds, test.name);
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
