#include "security/seccomp_oracle.h"

#include <errno.h>
#include <linux/seccomp.h>

#include <algorithm>

#include "core/security/seccomp_rules.h"

namespace nsbox::test {

namespace {

constexpr uint32_t kMissing = SECCOMP_RET_ERRNO | ENOSYS;

bool holds(const SeccompArg& arg, uint64_t argument, bool low_only) {
  const auto cut = [&](uint64_t value) { return low_only ? value & 0xffffffff : value; };
  const uint64_t a = cut(argument), b = cut(arg.value), c = cut(arg.value_two);
  switch (arg.op) {
    case SeccompOperator::kNotEqual:
      return a != b;
    case SeccompOperator::kLess:
      return a < b;
    case SeccompOperator::kLessOrEqual:
      return a <= b;
    case SeccompOperator::kEqual:
      return a == b;
    case SeccompOperator::kGreaterOrEqual:
      return a >= b;
    case SeccompOperator::kGreater:
      return a > b;
    case SeccompOperator::kMaskedEqual:
      return (a & b) == (c & b);
  }
  return false;
}

bool is_no_condition(const SeccompArg& arg, bool low_only) {
  return arg.op == SeccompOperator::kMaskedEqual && (low_only ? arg.value & 0xffffffff : arg.value) == 0;
}

// Two conditions on one argument make each condition a rule of its own.
std::vector<std::vector<SeccompArg>> alternatives(const SeccompRule& rule) {
  std::set<uint32_t> seen;
  for (const SeccompArg& arg : rule.args) seen.insert(arg.index);
  if (seen.size() == rule.args.size()) return {{rule.args.begin(), rule.args.end()}};
  std::vector<std::vector<SeccompArg>> each;
  for (const SeccompArg& arg : rule.args) each.push_back({arg});
  return each;
}

}  // namespace

Oracle::Oracle(const SeccompProfile& profile, Architecture native, Architecture architecture)
    : architecture_(architecture),
      covered_(architecture == native ||
               std::count(profile.architectures.begin(), profile.architectures.end(), architecture) > 0),
      beyond_is_missing_(profile.default_action != SeccompAction::kAllow &&
                         profile.default_action != SeccompAction::kLog &&
                         profile.default_action != SeccompAction::kTrace),
      low_only_(has_32_bit_arguments(architecture)),
      default_answer_(seccomp_answer(profile.default_action, profile.default_errno)) {
  for (const SeccompRule& rule : profile.syscalls) add(rule);
  for (const uint32_t number : named_)
    if (number < kArmPrivateBase) last_ = std::max(last_, number);
}

void Oracle::add(const SeccompRule& rule) {
  const uint32_t answer = seccomp_answer(rule.action, rule.errno_ret);
  const MultiplexedCalls multiplexers = multiplexed_calls(architecture_);
  for (const std::string_view name : rule.names) {
    const auto call = find_syscall(name);
    if (!call) continue;
    names_any_ = true;
    const auto number = syscall_number(*call, architecture_);
    const Multiplexed functions = multiplexed(*call);
    if (number) named_.insert(*number);
    if (functions.socketcall) named_.insert(multiplexers.socketcall);
    if (functions.ipc) named_.insert(multiplexers.ipc);
    if (answer == default_answer_) continue;
    for (const auto& args : alternatives(rule)) {
      if (number) rules_[*number].push_back({answer, args, 0});
      if (multiplexers.socketcall && functions.socketcall)
        rules_[multiplexers.socketcall].push_back({answer, args, functions.socketcall});
      if (multiplexers.ipc && functions.ipc)
        rules_[multiplexers.ipc].push_back({answer, args, functions.ipc});
    }
  }
}

Oracle::Match Oracle::match(const Rule& rule, const Arguments& arguments) const {
  const uint64_t first = low_only_ ? arguments[0] & 0xffffffff : arguments[0];
  Match result{rule.function == 0, rule.function == 0 || first == rule.function};
  for (const SeccompArg& arg : rule.args) {
    if (rule.function != 0 && arg.index == 0) continue;  // It lies in memory.
    if (!is_no_condition(arg, low_only_)) result.unconditional = false;
    result.matches = result.matches && holds(arg, arguments[arg.index], low_only_);
  }
  return result;
}

bool Oracle::is_beyond(uint32_t number) const {
  if (!beyond_is_missing_ || !names_any_) return false;
  if (architecture_ == Architecture::kS390x && number == 0) return true;
  // ARM's private calls lie far beyond all others.
  return number > last_ && !named_.count(number);
}

std::set<uint32_t> Oracle::answers(uint32_t number, const Arguments& arguments) const {
  if (!covered_) return {SECCOMP_RET_KILL_THREAD};
  if (is_beyond(number)) return {kMissing};
  std::set<uint32_t> answers;
  if (const auto rules = rules_.find(number); rules != rules_.end()) {
    for (const Rule& rule : rules->second) {
      const Match found = match(rule, arguments);
      if (found.unconditional) return {rule.answer};  // Whatever stands before or behind it.
      if (found.matches) answers.insert(rule.answer);
    }
  }
  if (answers.empty()) answers.insert(default_answer_);
  return answers;
}

}  // namespace nsbox::test
