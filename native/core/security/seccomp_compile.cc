#include "core/security/seccomp_compile.h"

#include <errno.h>
#include <linux/seccomp.h>

#include <cstddef>

#include "core/security/bpf_tree.h"
#include "core/security/seccomp_rules.h"

namespace nsbox {

namespace {

using Label = BpfWriter::Label;

// libseccomp's answer to an architecture that the profile does not name.
constexpr uint32_t kForeignAnswer = SECCOMP_RET_KILL_THREAD;
constexpr uint32_t kUnknownCallAnswer = SECCOMP_RET_ERRNO | ENOSYS;
constexpr size_t kMaxInstructions = BPF_MAXINSNS;

// A call that is newer than the profile would get the default's error, EPERM mostly, which a C library takes
// for an answer; ENOSYS lets it try an older call. Not where the default lets calls pass, or a tracer knows
// better.
bool unknown_calls_are_missing(SeccompAction default_action) {
  return default_action != SeccompAction::kAllow && default_action != SeccompAction::kLog &&
         default_action != SeccompAction::kTrace;
}

class Compiler {
 public:
  Compiler(const SeccompProfile& profile, const SeccompRules& rules, Architecture native)
      : rules_(rules),
        missing_(!rules.named.empty() && unknown_calls_are_missing(profile.default_action)),
        writer_(1024) {
    wanted_[static_cast<size_t>(native)] = true;
    for (const Architecture architecture : profile.architectures)
      wanted_[static_cast<size_t>(architecture)] = true;
    native_ = native;
    decisions_.reserve(profile.architectures.size() + 1);
  }

  Result<Vector<sock_filter>> compile() {
    Label start = writer_.returning(kForeignAnswer);
    // The last one written is the first one asked for: the native one.
    for (unsigned i = kArchitectures; i-- > 0;)
      if (static_cast<Architecture>(i) != leader(native_))
        start = write_architecture(static_cast<Architecture>(i), start);
    start = write_architecture(leader(native_), start);
    start = writer_.load(offsetof(seccomp_data, arch), start);
    if (contradiction_)
      return Error::invalid("seccomp: rules for ", syscall_of_contradiction(), " contradict each other");
    if (writer_.size() > kMaxInstructions)
      return Error::invalid("seccomp: the filter takes ", writer_.size(), " instructions, the kernel takes ",
                            kMaxInstructions);
    return writer_.finish(start);
  }

 private:
  static constexpr uint32_t kMinusOne = ~uint32_t{0};

  bool wants(Architecture architecture) const { return wanted_[static_cast<size_t>(architecture)]; }
  // x86_64 and x32 share an AUDIT_ARCH, and so a search.
  static Architecture leader(Architecture architecture) {
    return architecture == Architecture::kX32 ? Architecture::kX86_64 : architecture;
  }

  Label write_architecture(Architecture architecture, Label otherwise) {
    if (architecture == Architecture::kX32) return otherwise;
    Vector<BpfRange> ranges;
    if (architecture == Architecture::kX86_64) {
      if (!wants(Architecture::kX86_64) && !wants(Architecture::kX32)) return otherwise;
      append_x86_64(ranges);
    } else {
      if (!wants(architecture)) return otherwise;
      append_calls(ranges, architecture, 0);
    }
    const Label tree =
        write_tree(writer_, ranges, [&](const BpfLeaf& leaf) { return write_conditions(leaf); });
    const Label search = writer_.load(offsetof(seccomp_data, nr), tree);
    return writer_.branch(BPF_JEQ, audit_arch(architecture), search, otherwise);
  }

  void append_x86_64(Vector<BpfRange>& ranges) {
    if (wants(Architecture::kX86_64))
      append_calls(ranges, Architecture::kX86_64, 0);
    else
      append_range(ranges, 0, returning(kForeignAnswer));
    if (wants(Architecture::kX32)) return append_calls(ranges, Architecture::kX32, kX32Bit);
    append_range(ranges, kX32Bit, returning(kForeignAnswer));
    // A tracer skips a call by making it number -1; the filter sees that too, and must not kill for it.
    append_range(ranges, kMinusOne, returning(rules_.default_answer));
  }

  // The calls of an architecture, whose numbers begin at `base`, and all numbers from there on.
  void append_calls(Vector<BpfRange>& ranges, Architecture architecture, uint32_t base) {
    SeccompDecisions& decisions = decisions_.emplace_back();
    decisions.take(rules_, architecture);
    const uint32_t set = static_cast<uint32_t>(decisions_.size()) - 1;
    const BpfLeaf fallback = returning(rules_.default_answer);
    const BpfLeaf newer = missing_ ? returning(kUnknownCallAnswer) : fallback;

    for (uint32_t slot = 0; slot < kSyscallSlots; slot++) {
      const SeccompDecisions::Call& call = decisions.calls[slot];
      const BpfLeaf unnamed = slot <= decisions.last_named || call.named ? fallback : newer;
      BpfLeaf leaf = unnamed;
      if (call.decided)
        leaf = returning(call.answer);
      else if (call.first_rule >= 0)
        leaf = {BpfLeaf::Kind::kCode, set * kSyscallSlots + slot};
      if (slot == kArmPrivateSlot) append_range(ranges, base + slot, newer);  // Up to their real numbers.
      append_range(ranges, base + number_of_slot(slot), leaf);
    }
    append_range(ranges, base + number_of_slot(kSyscallSlots - 1) + 1, newer);
    // s390 passes on numbers above 255 through call 0, which nothing else uses.
    if (architecture == Architecture::kS390x && missing_) replace_zero(ranges);
  }

  static void replace_zero(Vector<BpfRange>& ranges) {
    Vector<BpfRange> result;
    result.reserve(ranges.size() + 2);
    append_range(result, 0, returning(kUnknownCallAnswer));
    append_range(result, 1, ranges[0].leaf);
    for (size_t i = 1; i < ranges.size(); i++) append_range(result, ranges[i].start, ranges[i].leaf);
    ranges = std::move(result);
  }

  static BpfLeaf returning(uint32_t answer) { return {BpfLeaf::Kind::kReturn, answer}; }

  Label write_conditions(const BpfLeaf& leaf) {
    const SeccompDecisions& decisions = decisions_[leaf.value / kSyscallSlots];
    const uint32_t slot = leaf.value % kSyscallSlots;
    const Label otherwise = writer_.returning(rules_.default_answer);
    if (writer_.size() > kMaxInstructions) return otherwise;  // It has failed; do not spend more on it.
    if (!decisions.collect(rules_, decisions.calls[slot], scratch_)) {
      contradiction_ = true;
      contradicting_slot_ = slot;
      contradicting_architecture_ = decisions.architecture;
    }
    return write_rules(writer_, scratch_, layout_of(decisions.architecture), otherwise);
  }

  String syscall_of_contradiction() const {
    for (unsigned i = 0; i < syscall_count(); i++) {
      const auto call = static_cast<SyscallIndex>(i);
      if (syscall_slot(call, contradicting_architecture_) == contradicting_slot_)
        return String(syscall_name(call));
    }
    return format("system call ", number_of_slot(contradicting_slot_));
  }

  const SeccompRules& rules_;
  bool missing_;
  bool wanted_[kArchitectures] = {};
  Architecture native_;
  Vector<SeccompDecisions> decisions_;
  Vector<ConditionalRule> scratch_;
  BpfWriter writer_;
  bool contradiction_ = false;
  uint32_t contradicting_slot_ = 0;
  Architecture contradicting_architecture_ = Architecture::kX86_64;
};

}  // namespace

Result<Vector<sock_filter>> compile_seccomp(const SeccompProfile& profile,
                                            const SeccompCompileOptions& options) {
  SeccompRules rules = TRY(resolve_rules(profile, options.unknown));
  return Compiler(profile, rules, options.native).compile();
}

}  // namespace nsbox
