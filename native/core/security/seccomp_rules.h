#pragma once

#include <cstdint>

#include "core/base/error.h"
#include "core/base/vector.h"
#include "core/security/seccomp_compile.h"
#include "core/security/seccomp_conditions.h"
#include "core/security/syscall_table.h"

namespace nsbox {

// A profile with its names looked up and its rules taken apart as runc does: a rule whose answer is the
// default's is none; a rule with two conditions on one argument is one rule for each condition.
struct SeccompRules {
  struct Rule {
    ConditionalRule rule;
    uint32_t first_call = 0;  // In `named`.
    uint32_t call_count = 0;
  };

  uint32_t default_answer = 0;
  Vector<Rule> rules;
  // Every call that the profile names, those of rules that are none too.
  Vector<SyscallIndex> named;
};

Result<SeccompRules> resolve_rules(const SeccompProfile& profile, UnknownSyscall unknown);

// SECCOMP_RET_* with its data.
uint32_t seccomp_answer(SeccompAction action, std::optional<uint16_t> errno_ret);

// What one architecture answers, by slot (syscall_table.h).
struct SeccompDecisions {
  struct Call {
    bool decided = false;  // Whatever its arguments are.
    bool named = false;    // By the profile, though perhaps only to give it the default's answer.
    uint32_t answer = 0;
    int32_t first_rule = -1;  // Into `chain`; newest first.
  };
  struct Link {
    uint32_t rule;     // Into SeccompRules::rules.
    uint8_t function;  // Of socketcall or ipc; 0 for a call of its own.
    int32_t next;
  };

  Architecture architecture;
  Call calls[kSyscallSlots];
  Vector<Link> chain;
  uint32_t last_named = 0;  // The highest slot that the profile names, ARM's private calls aside.

  void take(const SeccompRules& rules, Architecture wanted);
  // The call's rules in the order of trial; false where they contradict each other.
  bool collect(const SeccompRules& rules, const Call& call, Vector<ConditionalRule>& out) const;

 private:
  void add(const SeccompRules& rules, uint32_t rule, uint32_t slot, uint8_t function);
};

ArgumentLayout layout_of(Architecture architecture);

}  // namespace nsbox
