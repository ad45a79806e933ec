#include "core/process/clone.h"

#include <linux/sched.h>
#include <signal.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

namespace nsbox {

// long nsbox_clone_onto(clone_args* args, size_t size, int (*body)(void*), void* argument)
// The child starts on the stack in `args` and never returns here.
extern "C" long nsbox_clone_onto(clone_args* args, size_t size, int (*body)(void*), void* argument);

#if defined(__x86_64__)
asm(".text\n"
    ".globl nsbox_clone_onto\n"
    ".hidden nsbox_clone_onto\n"
    ".type nsbox_clone_onto, @function\n"
    "nsbox_clone_onto:\n"
    "  mov %rcx, %r8\n"
    "  mov $435, %eax\n"
    "  syscall\n"
    "  test %rax, %rax\n"
    "  jz 1f\n"
    "  ret\n"
    "1:\n"
    "  xor %ebp, %ebp\n"
    "  mov %r8, %rdi\n"
    "  call *%rdx\n"
    "  mov %eax, %edi\n"
    "  mov $60, %eax\n"
    "  syscall\n"
    "  hlt\n"
    ".size nsbox_clone_onto, .-nsbox_clone_onto\n");
#elif defined(__aarch64__)
asm(".text\n"
    ".globl nsbox_clone_onto\n"
    ".hidden nsbox_clone_onto\n"
    ".type nsbox_clone_onto, %function\n"
    "nsbox_clone_onto:\n"
    "  mov x8, #435\n"
    "  svc #0\n"
    "  cbz x0, 1f\n"
    "  ret\n"
    "1:\n"
    "  mov x29, #0\n"
    "  mov x0, x3\n"
    "  blr x2\n"
    "  mov x8, #93\n"
    "  svc #0\n"
    "  brk #1\n"
    ".size nsbox_clone_onto, .-nsbox_clone_onto\n");
#endif

namespace {

// A child that execs leaves AddressSanitizer's marks of its frames behind, where ours and the next one's will
// lie.
void forget_frames([[maybe_unused]] std::span<char> stack) {
#ifdef __SANITIZE_ADDRESS__
  __asan_unpoison_memory_region(stack.data(), stack.size());
#endif
}

Result<Cloned> clone_onto(const CloneOptions& options, uint64_t flags, std::span<char> stack,
                          int (*body)(void*), void* argument) {
  forget_frames(stack);
  int pidfd = -1;
  clone_args args = {};
  args.flags = options.flags | flags;
  if (options.want_pidfd) {
    args.flags |= CLONE_PIDFD;
    args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  }
  if (options.cgroup >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(options.cgroup);
  }
  args.exit_signal = static_cast<uint64_t>(options.exit_signal);
  args.stack = reinterpret_cast<uint64_t>(stack.data());
  args.stack_size = stack.size();

  // A handler of ours must not run in the child, on memory that is ours.
  uint64_t before = 0;
  (void)sys::sigprocmask(SIG_SETMASK, ~uint64_t{0}, &before);
  const long result = nsbox_clone_onto(&args, sizeof args, body, argument);
  forget_frames(stack);
  (void)sys::sigprocmask(SIG_SETMASK, before);
  if (sys::failed(result)) return Error(static_cast<int>(-result));
  return Cloned{static_cast<pid_t>(result), UniqueFd(pidfd)};
}

}  // namespace

Result<Cloned> clone_vfork(const CloneOptions& options, int (*body)(void*), void* argument) {
  // Our frame stays where it is while the child runs, so its stack can lie in it.
  alignas(16) char stack[24 * 1024];
  return clone_onto(options, CLONE_VM | CLONE_VFORK, stack, body, argument);
}

Result<Cloned> clone_sharing_memory(const CloneOptions& options, std::span<char> stack, int (*body)(void*),
                                    void* argument) {
  return clone_onto(options, CLONE_VM, stack, body, argument);
}

}  // namespace nsbox
