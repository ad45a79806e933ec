#include "core/security/seccomp_rules.h"

#include <errno.h>
#include <linux/seccomp.h>

#include <algorithm>

namespace nsbox {

namespace {

// The rule with its conditions in the arguments' order; no two are of one argument.
ConditionalRule all_at_once(std::span<const SeccompArg> args, uint32_t answer, uint32_t place) {
  ConditionalRule rule;
  rule.answer = answer;
  rule.place = place;
  for (uint32_t index = 0; index < kMaxArguments; index++)
    for (const SeccompArg& arg : args)
      if (arg.index == index) rule.conditions[rule.count++] = arg;
  return rule;
}

bool tests_an_argument_twice(std::span<const SeccompArg> args) {
  unsigned seen = 0;
  for (const SeccompArg& arg : args) {
    if (seen & (1u << arg.index)) return true;
    seen |= 1u << arg.index;
  }
  return false;
}

// The rule as an ABI of this layout can test it, for one of socketcall's or ipc's functions where `function`
// is not 0.
ConditionalRule adapted(const ConditionalRule& rule, ArgumentLayout layout, uint8_t function) {
  ConditionalRule result;
  result.answer = rule.answer;
  result.place = rule.place;
  result.multiplexed = function != 0;
  // The function's own first argument lies in memory, where a filter cannot look.
  if (function != 0) result.conditions[result.count++] = {0, SeccompOperator::kEqual, function, 0};
  for (const SeccompArg& condition : rule.all()) {
    if (function != 0 && condition.index == 0) continue;
    if (!always_holds(condition, layout)) result.conditions[result.count++] = normalized(condition, layout);
  }
  return result;
}

}  // namespace

uint32_t seccomp_answer(SeccompAction action, std::optional<uint16_t> errno_ret) {
  const uint32_t data = errno_ret.value_or(EPERM);
  switch (action) {
    case SeccompAction::kKillThread:
      return SECCOMP_RET_KILL_THREAD;
    case SeccompAction::kKillProcess:
      return SECCOMP_RET_KILL_PROCESS;
    case SeccompAction::kTrap:
      return SECCOMP_RET_TRAP;
    case SeccompAction::kErrno:
      return SECCOMP_RET_ERRNO | data;
    case SeccompAction::kTrace:
      return SECCOMP_RET_TRACE | data;
    case SeccompAction::kAllow:
      return SECCOMP_RET_ALLOW;
    case SeccompAction::kLog:
      return SECCOMP_RET_LOG;
    case SeccompAction::kNotify:
      return SECCOMP_RET_USER_NOTIF;
  }
  return SECCOMP_RET_KILL_PROCESS;
}

ArgumentLayout layout_of(Architecture architecture) {
  return {has_32_bit_arguments(architecture), is_big_endian(architecture)};
}

Result<SeccompRules> resolve_rules(const SeccompProfile& profile, UnknownSyscall unknown) {
  SeccompRules result;
  result.default_answer = seccomp_answer(profile.default_action, profile.default_errno);
  result.rules.reserve(profile.syscalls.size());
  result.named.reserve(syscall_count());

  for (const SeccompRule& rule : profile.syscalls) {
    const auto first = static_cast<uint32_t>(result.named.size());
    for (const std::string_view name : rule.names) {
      if (const auto call = find_syscall(name))
        result.named.push_back(*call);
      else if (unknown == UnknownSyscall::kFail)
        return Error::invalid("seccomp: no architecture has a system call ", name);
    }
    for (const SeccompArg& arg : rule.args)
      if (arg.index >= kMaxArguments) return Error::invalid("seccomp: argument ", arg.index, " of six");

    const uint32_t answer = seccomp_answer(rule.action, rule.errno_ret);
    if (answer == result.default_answer) continue;
    const auto count = static_cast<uint32_t>(result.named.size()) - first;
    const auto add = [&](std::span<const SeccompArg> args) {
      const auto place = static_cast<uint32_t>(result.rules.size());
      result.rules.push_back({all_at_once(args, answer, place), first, count});
    };
    if (tests_an_argument_twice(rule.args))
      for (size_t i = 0; i < rule.args.size(); i++) add(rule.args.subspan(i, 1));
    else
      add(rule.args);
  }
  return result;
}

void SeccompDecisions::take(const SeccompRules& rules, Architecture wanted) {
  architecture = wanted;
  const MultiplexedCalls multiplexers = multiplexed_calls(wanted);
  const auto name = [&](uint16_t slot) {
    calls[slot].named = true;
    if (slot < kArmPrivateSlot) last_named = std::max<uint32_t>(last_named, slot);
  };
  for (const SyscallIndex call : rules.named) {
    if (const uint16_t slot = syscall_slot(call, wanted); slot != kNoSlot) name(slot);
    if (multiplexers.socketcall != 0 && multiplexed(call).socketcall != 0) name(multiplexers.socketcall);
    if (multiplexers.ipc != 0 && multiplexed(call).ipc != 0) name(multiplexers.ipc);
  }
  for (uint32_t i = 0; i < rules.rules.size(); i++) {
    const SeccompRules::Rule& rule = rules.rules[i];
    for (uint32_t k = 0; k < rule.call_count; k++) {
      const SyscallIndex call = rules.named[rule.first_call + k];
      if (const uint16_t slot = syscall_slot(call, wanted); slot != kNoSlot) add(rules, i, slot, 0);
      if (multiplexers.socketcall == 0) continue;
      const Multiplexed functions = multiplexed(call);
      if (functions.socketcall != 0) add(rules, i, multiplexers.socketcall, functions.socketcall);
      if (functions.ipc != 0) add(rules, i, multiplexers.ipc, functions.ipc);
    }
  }
}

// The first rule without conditions decides a call for good, whatever rules stand before or behind it: so
// does libseccomp.
void SeccompDecisions::add(const SeccompRules& rules, uint32_t rule, uint32_t slot, uint8_t function) {
  Call& call = calls[slot];
  if (call.decided) return;
  const ConditionalRule& wanted = rules.rules[rule].rule;
  const ArgumentLayout layout = layout_of(architecture);
  const auto conditions = wanted.all();
  const bool unconditional =
      function == 0 && std::all_of(conditions.begin(), conditions.end(),
                                   [&](const SeccompArg& arg) { return always_holds(arg, layout); });
  if (unconditional) {
    call.decided = true;
    call.answer = wanted.answer;
    return;
  }
  chain.push_back({rule, function, call.first_rule});
  call.first_rule = static_cast<int32_t>(chain.size()) - 1;
}

bool SeccompDecisions::collect(const SeccompRules& rules, const Call& call,
                               Vector<ConditionalRule>& out) const {
  out.clear();
  for (int32_t at = call.first_rule; at >= 0; at = chain[static_cast<size_t>(at)].next) {
    const Link& link = chain[static_cast<size_t>(at)];
    out.push_back(adapted(rules.rules[link.rule].rule, layout_of(architecture), link.function));
  }
  return order_rules(out);
}

}  // namespace nsbox
