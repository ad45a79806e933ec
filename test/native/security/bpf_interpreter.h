#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

// What the kernel does with a seccomp filter, written from its documentation and not from our compiler.
namespace nsbox::test {

// Whether the kernel would take the program: known instructions, jumps within it, a return at its end.
inline bool is_valid_filter(std::span<const sock_filter> program) {
  if (program.empty() || program.size() > BPF_MAXINSNS) return false;
  for (size_t at = 0; at < program.size(); at++) {
    const sock_filter& instruction = program[at];
    const size_t behind = program.size() - at - 1;  // How far a jump can go, and one more.
    switch (instruction.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        if (instruction.k % 4 != 0 || instruction.k >= sizeof(seccomp_data)) return false;
        break;
      case BPF_ALU | BPF_AND | BPF_K:
      case BPF_RET | BPF_K:
        break;
      case BPF_JMP | BPF_JA:
        if (instruction.k >= behind) return false;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
      case BPF_JMP | BPF_JGT | BPF_K:
      case BPF_JMP | BPF_JGE | BPF_K:
      case BPF_JMP | BPF_JSET | BPF_K:
        if (instruction.jt >= behind || instruction.jf >= behind) return false;
        break;
      default:
        return false;
    }
  }
  return program.back().code == (BPF_RET | BPF_K);
}

// What the filter answers; nothing where it runs out of the program.
inline std::optional<uint32_t> run_filter(std::span<const sock_filter> program, const seccomp_data& data) {
  uint32_t a = 0;
  for (size_t at = 0; at < program.size(); at++) {
    const sock_filter& instruction = program[at];
    const auto branch = [&](bool taken) { at += taken ? instruction.jt : instruction.jf; };
    switch (instruction.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        std::memcpy(&a, reinterpret_cast<const char*>(&data) + instruction.k, sizeof a);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= instruction.k;
        break;
      case BPF_RET | BPF_K:
        return instruction.k;
      case BPF_JMP | BPF_JA:
        at += instruction.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        branch(a == instruction.k);
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        branch(a > instruction.k);
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        branch(a >= instruction.k);
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        branch((a & instruction.k) != 0);
        break;
      default:
        return std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace nsbox::test
