#include <linux/bpf.h>

#include <cstring>

#include "core/cgroup/devices.h"

namespace nsbox::cgroup {

namespace {

// What the program keeps where. r1 points to struct bpf_cgroup_dev_ctx.
enum Register : uint8_t { kAnswer = BPF_REG_0, kContext, kType, kWanted, kMajor, kMinor };

constexpr uint32_t kAnyAccess = BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE;

class Program {
 public:
  void add(int code, uint8_t target, uint8_t source, int16_t offset, uint32_t value) {
    bpf_insn instruction = {};
    instruction.code = static_cast<uint8_t>(code);
    instruction.dst_reg = target & 15U;
    instruction.src_reg = source & 15U;
    instruction.off = offset;
    instruction.imm = static_cast<int32_t>(value);
    uint64_t word;
    memcpy(&word, &instruction, sizeof word);
    words_.push_back(word);
  }
  void load(uint8_t target, int16_t field) { add(BPF_LDX | BPF_MEM | BPF_W, target, kContext, field, 0); }
  void answer(uint32_t value) {
    add(BPF_ALU64 | BPF_MOV | BPF_K, kAnswer, 0, 0, value);
    add(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
  }
  // To the place that land() names later, when the register is not the value.
  void skip_unless(uint8_t target, uint32_t value) { jump(BPF_JMP32 | BPF_JNE | BPF_K, target, value); }
  void skip_if(uint8_t target, uint32_t value) { jump(BPF_JMP32 | BPF_JEQ | BPF_K, target, value); }
  void land() {
    for (const size_t at : jumps_) {
      bpf_insn instruction;
      memcpy(&instruction, &words_[at], sizeof instruction);
      instruction.off = static_cast<int16_t>(words_.size() - at - 1);
      memcpy(&words_[at], &instruction, sizeof instruction);
    }
    jumps_.clear();
  }
  Vector<uint64_t> take() { return std::move(words_); }

 private:
  void jump(int code, uint8_t target, uint32_t value) {
    jumps_.push_back(words_.size());
    add(code, target, 0, 0, value);
  }

  Vector<uint64_t> words_;
  Vector<size_t> jumps_;
};

void load_request(Program& program) {
  // access_type: the type in the lower half, the access in the upper one.
  program.load(kType, 0);
  program.add(BPF_ALU | BPF_MOV | BPF_X, kWanted, kType, 0, 0);
  program.add(BPF_ALU | BPF_AND | BPF_K, kType, 0, 0, 0xFFFF);
  program.add(BPF_ALU | BPF_RSH | BPF_K, kWanted, 0, 0, 16);
  program.load(kMajor, 4);
  program.load(kMinor, 8);
}

uint32_t access_of(const DeviceRule& rule) {
  uint32_t access = 0;
  if (rule.read) access |= BPF_DEVCG_ACC_READ;
  if (rule.write) access |= BPF_DEVCG_ACC_WRITE;
  if (rule.mknod) access |= BPF_DEVCG_ACC_MKNOD;
  return access;
}

bool is_for_all(const DeviceRule& rule) {
  return rule.type == DeviceType::kAll && !rule.major && !rule.minor && access_of(rule) == kAnyAccess;
}

void match_device(Program& program, const DeviceRule& rule) {
  if (rule.type != DeviceType::kAll)
    program.skip_unless(kType, rule.type == DeviceType::kBlock ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
  if (rule.major) program.skip_unless(kMajor, *rule.major);
  if (rule.minor) program.skip_unless(kMinor, *rule.minor);
}

// Each wanted access is decided by the last rule that has it, so the rules are run from the last to the
// first: an allow strikes its accesses off the wanted ones, a deny that meets one still wanted ends it.
void add_rule(Program& program, const DeviceRule& rule) {
  const uint32_t access = access_of(rule);
  match_device(program, rule);
  if (rule.allow) {
    program.add(BPF_ALU | BPF_AND | BPF_K, kWanted, 0, 0, kAnyAccess & ~access);
    program.skip_unless(kWanted, 0);
    program.answer(1);
  } else {
    program.add(BPF_ALU | BPF_MOV | BPF_X, kAnswer, kWanted, 0, 0);
    program.add(BPF_ALU | BPF_AND | BPF_K, kAnswer, 0, 0, access);
    program.skip_if(kAnswer, 0);
    program.answer(0);
  }
  program.land();
}

}  // namespace

Vector<uint64_t> device_program(std::span<const DeviceRule> rules) {
  Program program;
  load_request(program);
  for (size_t i = rules.size(); i-- > 0;) {
    if (access_of(rules[i]) == 0) continue;
    if (is_for_all(rules[i])) {
      // Nothing behind it could be reached, and the verifier refuses what cannot be.
      program.answer(rules[i].allow ? 1 : 0);
      return program.take();
    }
    add_rule(program, rules[i]);
  }
  program.answer(0);
  return program.take();
}

}  // namespace nsbox::cgroup
