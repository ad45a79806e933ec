// stopwatch: reads a plan from stdin and prints a JSON array with what each of its lines took. A line's fields stand between
// tabs, the first two are what to do and a name for the result:
//   time NAME PROGRAM ARGUMENT…   the program's length in ms, from before its start until it is reaped, and its peak memory
//   peak NAME PROGRAM ARGUMENT…   the same, for the memory: a fork costs time, but leaves nothing of this program in the peak
//   left NAME                     the peak memory of all that the programs before have left running
//   reap NAME                     waits until nothing of that is left
// A program of its own, static and small: what Node needs to start another is more than what is measured here.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_FIELDS = 64, PATIENCE_S = 20 };

extern char **environ;
static int null_fd, error_fd;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

// vfork and exec, as those do who start runtimes often.
static pid_t spawn_now(char **command) {
  static posix_spawn_file_actions_t actions;
  static int is_ready;
  if (!is_ready++) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, null_fd, 0);
    posix_spawn_file_actions_adddup2(&actions, null_fd, 1);
    posix_spawn_file_actions_adddup2(&actions, error_fd, 2);
  }
  pid_t pid;
  return posix_spawn(&pid, command[0], &actions, NULL, command, environ) == 0 ? pid : -1;
}

// The peak of a process begins with that of the memory it leaves at its exec: a fork's is next to nothing.
static pid_t fork_now(char **command) {
  pid_t pid = fork();
  if (pid != 0) return pid;
  dup2(null_fd, 0);
  dup2(null_fd, 1);
  dup2(error_fd, 2);
  execv(command[0], command);
  _exit(127);
}

static void on_alarm(int signal) { (void)signal; }

// What hangs is killed: the bench goes on without it.
static int wait_for(pid_t pid, struct rusage *usage) {
  int status = -1;
  alarm(PATIENCE_S);
  while (wait4(pid, &status, 0, usage) < 0) kill(pid, SIGKILL);
  alarm(0);
  return status;
}

// In one line that needs no escapes in JSON.
static void print_error(void) {
  char text[512];
  ssize_t length = pread(error_fd, text, sizeof text - 1, 0);
  for (ssize_t i = 0; i < length; i++)
    if (text[i] < ' ' || text[i] > '~' || strchr("\"\\", text[i])) text[i] = ' ';
  text[length < 0 ? 0 : length] = 0;
  printf(",\"error\":\"%s\"", text);
}

static void measure(pid_t (*start)(char **), char **command) {
  struct rusage usage = {0};
  if (ftruncate(error_fd, 0) != 0) fail("ftruncate");
  double began = now_ms();
  pid_t pid = start(command);
  int status = pid < 0 ? -1 : wait_for(pid, &usage);
  double ms = now_ms() - began;
  printf("\"ms\":%.4f,\"kb\":%ld,\"status\":%d", ms, usage.ru_maxrss, status);
  if (status != 0) print_error();
}

static long peak_of(pid_t pid) {
  char line[256];
  long kb = 0;
  snprintf(line, sizeof line, "/proc/%d/status", pid);
  FILE *file = fopen(line, "re");
  while (file && fgets(line, sizeof line, file))
    if (sscanf(line, "VmHWM: %ld", &kb) == 1) break;
  if (file) fclose(file);
  return kb;
}

// Orphans are this process's children: it is their reaper.
static void each_child(void (*visit)(pid_t, long *), long *sum) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
  FILE *file = fopen(path, "re");
  if (!file) fail(path);
  for (pid_t pid; fscanf(file, "%d", &pid) == 1;) visit(pid, sum);
  fclose(file);
}

static void add_peak(pid_t pid, long *sum) { *sum += peak_of(pid); }
static void kill_child(pid_t pid, long *killed) {
  kill(pid, SIGKILL);
  ++*killed;
}

static void measure_left(void) {
  long kb = 0;
  each_child(add_peak, &kb);
  printf("\"ms\":0,\"kb\":%ld,\"status\":0", kb);
}

static void reap_all(void) {
  long killed = 0;
  alarm(PATIENCE_S);
  for (;;) {
    if (wait(NULL) > 0) continue;
    if (waitpid(-1, NULL, WNOHANG) < 0) break;
    each_child(kill_child, &killed);
  }
  alarm(0);
  printf("\"ms\":0,\"kb\":0,\"status\":%ld", killed);
  if (killed) printf(",\"error\":\"%ld processes outlived their kill\"", killed);
}

static void carry_out(char *line) {
  char *fields[MOST_FIELDS + 1] = {0};
  for (int n = 0; n < MOST_FIELDS && (fields[n] = strsep(&line, "\t")); n++) continue;
  printf("{\"name\":\"%s\",", fields[1]);
  if (!strcmp(fields[0], "time")) measure(spawn_now, fields + 2);
  if (!strcmp(fields[0], "peak")) measure(fork_now, fields + 2);
  if (!strcmp(fields[0], "left")) measure_left();
  if (!strcmp(fields[0], "reap")) reap_all();
  printf("}");
  fflush(stdout);
}

int main(void) {
  static char line[1 << 14];
  struct sigaction action = {.sa_handler = on_alarm};
  sigaction(SIGALRM, &action, NULL);
  null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  error_fd = open("/run", O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
  if (null_fd < 0 || error_fd < 0) fail("open");
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) fail("prctl");
  printf("[");
  fflush(stdout);
  for (int n = 0; fgets(line, sizeof line, stdin); n++) {
    line[strcspn(line, "\n")] = 0;
    if (n > 0) printf(",\n");
    carry_out(line);
  }
  printf("]\n");
  return 0;
}
