#include "core/process/placement.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

using namespace nsbox;

namespace {

cpu_set_t processors_of(pid_t pid) {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(pid, sizeof set, &set);
  return set;
}

// Runs the body with a process that waits, and ends it.
template <typename Body>
void with_child(const Body& body) {
  const pid_t child = fork();
  if (child == 0)
    for (;;) pause();
  body(child);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

}  // namespace

TEST("placement: a process is kept off one processor, and allows itself all again") {
  cpu_set_t all = processors_of(0);
  const bool has_choice = CPU_COUNT(&all) > 1 && CPU_COUNT(&all) == sysconf(_SC_NPROCESSORS_ONLN);
  with_child([&](pid_t child) {
    EXPECT_EQ(place_elsewhere(child), has_choice);
    cpu_set_t left = processors_of(child);
    EXPECT_EQ(CPU_COUNT(&left), CPU_COUNT(&all) - (has_choice ? 1 : 0));
  });
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  EXPECT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  allow_all_processors();
  cpu_set_t again = processors_of(0);
  EXPECT(CPU_EQUAL(&again, &all));
}

TEST("placement: whoever is confined to some processors stays so, and what it makes") {
  cpu_set_t all = processors_of(0);
  if (CPU_COUNT(&all) < 2) return;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  EXPECT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  with_child([&](pid_t child) {
    EXPECT(!place_elsewhere(child));
    cpu_set_t left = processors_of(child);
    EXPECT(CPU_EQUAL(&left, &one));
  });
  EXPECT_EQ(sched_setaffinity(0, sizeof all, &all), 0);
}
