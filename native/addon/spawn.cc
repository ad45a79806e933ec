#include "addon/spawn.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/memfd.h>
#include <linux/prctl.h>
#include <linux/sched.h>

#include <cerrno>

#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox::addon {
namespace {

constexpr int kChannel = 3;

struct Child {
  SpawnRequest request = {};
  int null = -1;
  int error = 0;
  const char* argv[3] = {"nsbox-runtime", nullptr, nullptr};
  const char* envp[1] = {nullptr};
};

// Exec in a user namespace without an id map drops every capability but the ambient ones, and init needs them
// to write the map (user_namespaces(7), capabilities(7)).
void keep_capabilities() {
  struct {
    uint32_t version;
    int pid;
  } header = {_LINUX_CAPABILITY_VERSION_3, 0};
  uint32_t data[6] = {};  // effective, permitted, inheritable; twice.
  if (sys::failed(sys::call(__NR_capget, &header, &data[0]))) return;
  data[2] = data[1];
  data[5] = data[4];
  sys::call(__NR_capset, &header, &data[0]);
  for (long capability = 0; capability < 64; capability++)
    if (sys::failed(sys::call(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0))) break;
}

// What Node ignores, SIGPIPE above all, every program in the box would ignore as well: exec keeps that, and
// CLONE_CLEAR_SIGHAND resets handlers alone.
void heed_all_signals() {
  constexpr int kLast = 64;
  const unsigned long usual[4] = {};  // The kernel's struct sigaction: SIG_DFL, no flags, an empty mask.
  for (long signal = 1; signal <= kLast; signal++) sys::call(__NR_rt_sigaction, signal, usual, nullptr, 8);
}

// Runs on memory that is ours, with other threads of ours at work: raw system calls only.
int become_runtime(void* argument) {
  auto* child = static_cast<Child*>(argument);
  const SpawnRequest& request = child->request;
  // The channel's own number may be one of those that are replaced here.
  const long safe = sys::call(__NR_fcntl, request.channel, F_DUPFD_CLOEXEC, kChannel + 1);
  const long program = sys::call(__NR_fcntl, request.program, F_DUPFD_CLOEXEC, kChannel + 1);
  const long null = sys::call(__NR_fcntl, child->null, F_DUPFD_CLOEXEC, kChannel + 1);
  for (long fd = 0; fd < kChannel; fd++) sys::call(__NR_dup3, null, fd, 0);
  sys::call(__NR_dup3, safe, kChannel, 0);
  sys::call(__NR_close_range, kChannel + 1, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */);
  if (request.namespaces & CLONE_NEWUSER) keep_capabilities();
  heed_all_signals();
  const long result = sys::call(__NR_execveat, program, "", &child->argv[0], &child->envp[0], AT_EMPTY_PATH);
  child->error = static_cast<int>(-result);
  return 127;
}

}  // namespace

struct Spawned::Memory {
  alignas(16) char stack[16 * 1024];
  Child child;
};

Spawned::Spawned() = default;
Spawned::~Spawned() = default;
Spawned::Spawned(Spawned&&) noexcept = default;
Spawned& Spawned::operator=(Spawned&&) noexcept = default;

int Spawned::exec_error() const {
  // Written by the clone, which the compiler knows nothing of.
  return memory_ ? *static_cast<const volatile int*>(&memory_->child.error) : 0;
}

Result<Spawned> spawn_runtime(const SpawnRequest& request) {
  UniqueFd null = TRY(sys::open("/dev/null", O_RDWR));
  Spawned spawned;
  spawned.memory_ = std::make_unique<Spawned::Memory>();
  Child& child = spawned.memory_->child;
  child.request = request;
  child.null = null.get();
  child.argv[1] = request.command;
  auto cloned =
      clone_sharing_memory({.flags = request.namespaces | CLONE_CLEAR_SIGHAND, .cgroup = request.cgroup},
                           spawned.memory_->stack, &become_runtime, &child);
  if (!cloned) return cloned.error().while_doing("start nsbox-runtime ", request.command);
  // The clone has its own table of descriptors since the call: ours may be closed at once.
  spawned.pid_ = cloned->pid;
  spawned.pidfd_ = std::move(cloned->pidfd);
  return spawned;
}

Result<UniqueFd> load_sealed(const char* path) {
  constexpr unsigned kMfdExec = 0x10;  // Linux 6.3; before, every memfd may be executed.
  auto source = sys::open(path, O_RDONLY);
  if (!source) return source.error().while_doing("open ", path);
  auto memory = sys::memfd_create("nsbox-runtime", MFD_ALLOW_SEALING | kMfdExec);
  if (memory.err() == EINVAL) memory = sys::memfd_create("nsbox-runtime", MFD_ALLOW_SEALING);
  if (!memory) return memory.error().while_doing("make a memory file");
  char buffer[65536];
  for (;;) {
    const size_t got = TRY(sys::read(source->get(), buffer, sizeof buffer));
    if (!got) break;
    TRY(write_all(memory->get(), buffer, got));
  }
  constexpr long kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  auto sealed = sys::fcntl(memory->get(), F_ADD_SEALS, kSeals);
  if (!sealed) return sealed.error().while_doing("seal the memory file");
  return memory;
}

}  // namespace nsbox::addon
