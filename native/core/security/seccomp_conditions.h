#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/base/vector.h"
#include "core/security/bpf_writer.h"
#include "core/security/seccomp_profile.h"

// What a call answers when it depends on the call's arguments.
namespace nsbox {

inline constexpr unsigned kMaxArguments = 6;

// A rule's conditions, all of which must hold, in the order of the arguments; at most one for each argument.
struct ConditionalRule {
  std::array<SeccompArg, kMaxArguments> conditions;
  uint8_t count = 0;
  uint32_t answer = 0;  // SECCOMP_RET_*
  uint32_t place = 0;   // In the profile.
  // Made for socketcall or ipc: what the profile says of the first argument is lost, so that two rules may
  // say different things of one call; the first of them holds.
  bool multiplexed = false;

  std::span<const SeccompArg> all() const { return {conditions.data(), count}; }
};

// How an architecture shows arguments to a filter.
struct ArgumentLayout {
  bool low_words_only = false;
  bool big_endian = false;
};

// A condition as it is tested: values cut to the layout's width, those of a masked comparison to the mask.
SeccompArg normalized(const SeccompArg& condition, ArgumentLayout layout);
// Whether the condition holds of every argument (a mask of nothing), and so is none.
bool always_holds(const SeccompArg& condition, ArgumentLayout layout);

// Puts a call's rules in the order in which they are tried, the first that holds wins, and drops those that
// another hides. Of rules with different answers libseccomp tries those on later arguments first, then
// equality before "less" before "greater", then the larger value (the smaller for "less"); the rule with
// fewer conditions hides those that only add to it. Answers false where that would make an earlier rule
// without effect though it answers differently: libseccomp refuses such rules.
bool order_rules(Vector<ConditionalRule>& rules);

// Code that tries the ordered rules and answers `otherwise` where none holds.
BpfWriter::Label write_rules(BpfWriter& writer, std::span<const ConditionalRule> rules, ArgumentLayout layout,
                             BpfWriter::Label otherwise);

}  // namespace nsbox
