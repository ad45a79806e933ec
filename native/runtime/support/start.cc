#include <cstddef>

#include "core/sys/raw.h"

// The entry point of a program without a C library: the kernel leaves argc, argv and the environment on the
// stack.

int main(int argc, char** argv, char** envp);

extern "C" {

[[noreturn]] __attribute__((used)) void nsbox_start(long* stack) {
  const int argc = static_cast<int>(stack[0]);
  auto** argv = reinterpret_cast<char**>(stack + 1);
  const int exit_status = main(argc, argv, argv + argc + 1);
  for (;;) nsbox::sys::call(__NR_exit_group, exit_status);
}

#if defined(__x86_64__)
asm(".globl _start\n"
    ".type _start, @function\n"
    "_start:\n"
    "  xor %ebp, %ebp\n"
    "  mov %rsp, %rdi\n"
    "  and $-16, %rsp\n"
    "  call nsbox_start\n");
#elif defined(__aarch64__)
asm(".globl _start\n"
    ".type _start, @function\n"
    "_start:\n"
    "  mov x29, #0\n"
    "  mov x30, #0\n"
    "  mov x0, sp\n"
    "  bl nsbox_start\n");
#endif

}  // extern "C"
