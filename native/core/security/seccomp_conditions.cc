#include "core/security/seccomp_conditions.h"

#include <linux/seccomp.h>

#include <algorithm>
#include <cstddef>

#include "core/security/bpf_tree.h"

namespace nsbox {

namespace {

using Label = BpfWriter::Label;

constexpr uint32_t low(uint64_t value) { return static_cast<uint32_t>(value); }
constexpr uint32_t high(uint64_t value) { return static_cast<uint32_t>(value >> 32); }

uint32_t offset_of(unsigned index, bool of_high_word, ArgumentLayout layout) {
  const bool second = of_high_word != layout.big_endian;
  return static_cast<uint32_t>(offsetof(seccomp_data, args) + index * sizeof(uint64_t) + (second ? 4 : 0));
}

// The value that decides about order, and whether smaller ones come first.
uint64_t ranked_value(const SeccompArg& condition) {
  return condition.op == SeccompOperator::kMaskedEqual ? condition.value_two : condition.value;
}

int rank(SeccompOperator op) {
  switch (op) {
    case SeccompOperator::kEqual:
    case SeccompOperator::kNotEqual:
    case SeccompOperator::kMaskedEqual:
      return 0;
    case SeccompOperator::kLess:
    case SeccompOperator::kLessOrEqual:
      return 1;
    case SeccompOperator::kGreater:
    case SeccompOperator::kGreaterOrEqual:
      return 2;
  }
  return 0;
}

// Negative where `a` is tried before `b`. Beyond libseccomp's order, different conditions never compare
// equal.
int compare(const SeccompArg& a, const SeccompArg& b) {
  if (a.index != b.index) return a.index > b.index ? -1 : 1;
  if (rank(a.op) != rank(b.op)) return rank(a.op) < rank(b.op) ? -1 : 1;
  if (ranked_value(a) != ranked_value(b)) {
    const bool larger_first = rank(a.op) != 1;
    return (ranked_value(a) > ranked_value(b)) == larger_first ? -1 : 1;
  }
  if (a.op != b.op) return a.op < b.op ? -1 : 1;
  if (a.value != b.value) return a.value < b.value ? -1 : 1;
  return 0;
}

bool extends(const ConditionalRule& longer, const ConditionalRule& shorter) {
  if (shorter.count > longer.count) return false;
  for (unsigned i = 0; i < shorter.count; i++)
    if (compare(shorter.conditions[i], longer.conditions[i]) != 0) return false;
  return true;
}

bool tried_before(const ConditionalRule& a, const ConditionalRule& b) {
  for (unsigned i = 0; i < a.count && i < b.count; i++)
    if (const int order = compare(a.conditions[i], b.conditions[i]); order != 0) return order < 0;
  if (a.count != b.count) return a.count < b.count;
  return a.place < b.place;
}

// The test of one 64-bit argument by its two words.
class ConditionWriter {
 public:
  ConditionWriter(BpfWriter& writer, const SeccompArg& condition, ArgumentLayout layout)
      : writer_(writer), condition_(condition), layout_(layout) {}

  Label write(Label holds, Label fails) {
    switch (condition_.op) {
      case SeccompOperator::kEqual:
        return equal(holds, fails);
      case SeccompOperator::kNotEqual:
        return equal(fails, holds);
      case SeccompOperator::kGreater:
        return above(BPF_JGT, holds, fails);
      case SeccompOperator::kGreaterOrEqual:
        return above(BPF_JGE, holds, fails);
      case SeccompOperator::kLess:
        return above(BPF_JGE, fails, holds);
      case SeccompOperator::kLessOrEqual:
        return above(BPF_JGT, fails, holds);
      case SeccompOperator::kMaskedEqual:
        return masked(holds, fails);
    }
    return fails;
  }

 private:
  Label load_low(Label next) { return writer_.load(offset_of(condition_.index, false, layout_), next); }
  Label load_high(Label next) { return writer_.load(offset_of(condition_.index, true, layout_), next); }

  Label equal(Label holds, Label fails) {
    const Label on_low = load_low(writer_.branch(BPF_JEQ, low(condition_.value), holds, fails));
    if (layout_.low_words_only) return on_low;
    return load_high(writer_.branch(BPF_JEQ, high(condition_.value), on_low, fails));
  }

  Label above(uint16_t comparison, Label holds, Label fails) {
    const Label on_low = load_low(writer_.branch(comparison, low(condition_.value), holds, fails));
    if (layout_.low_words_only) return on_low;
    const Label same_high = writer_.branch(BPF_JEQ, high(condition_.value), on_low, fails);
    return load_high(writer_.branch(BPF_JGT, high(condition_.value), holds, same_high));
  }

  Label masked(Label holds, Label fails) {
    Label next = holds;
    if (const uint32_t mask = low(condition_.value); mask != 0)
      next = load_low(masked_word(mask, low(condition_.value_two), next, fails));
    if (const uint32_t mask = high(condition_.value); mask != 0 && !layout_.low_words_only)
      next = load_high(masked_word(mask, high(condition_.value_two), next, fails));
    return next;
  }

  Label masked_word(uint32_t mask, uint32_t value, Label holds, Label fails) {
    if (value == 0) return writer_.branch(BPF_JSET, mask, fails, holds);
    const Label compared = writer_.branch(BPF_JEQ, value, holds, fails);
    return mask == ~uint32_t{0} ? compared : writer_.mask(mask, compared);
  }

  BpfWriter& writer_;
  const SeccompArg& condition_;
  ArgumentLayout layout_;
};

bool is_single_equality(const ConditionalRule& rule) {
  return rule.count == 1 && rule.conditions[0].op == SeccompOperator::kEqual;
}

// How many rules from the start test one argument for values that share their high word, and nothing else.
size_t value_list_length(std::span<const ConditionalRule> rules, ArgumentLayout layout) {
  size_t length = 0;
  while (length < rules.size() && is_single_equality(rules[length]) &&
         rules[length].conditions[0].index == rules[0].conditions[0].index &&
         (layout.low_words_only ||
          high(rules[length].conditions[0].value) == high(rules[0].conditions[0].value)))
    length++;
  return length;
}

// A list of values is searched like the call's number is.
Label write_value_list(BpfWriter& writer, std::span<const ConditionalRule> rules, ArgumentLayout layout,
                       Label otherwise) {
  const SeccompArg& first = rules[0].conditions[0];
  const BpfLeaf no_match{BpfLeaf::Kind::kLabel, otherwise};
  Vector<BpfRange> ranges;
  ranges.reserve(2 * rules.size() + 1);
  append_range(ranges, 0, no_match);
  for (size_t i = rules.size(); i-- > 0;) {  // Their order is from the largest value down.
    const uint32_t value = low(rules[i].conditions[0].value);
    append_range(ranges, value, {BpfLeaf::Kind::kReturn, rules[i].answer});
    if (value != ~uint32_t{0}) append_range(ranges, value + 1, no_match);
  }
  const Label on_low = writer.load(offset_of(first.index, false, layout),
                                   write_tree(writer, ranges, [](const BpfLeaf&) { return Label{0}; }));
  if (layout.low_words_only) return on_low;
  return writer.load(offset_of(first.index, true, layout),
                     writer.branch(BPF_JEQ, high(first.value), on_low, otherwise));
}

Label write_rule(BpfWriter& writer, const ConditionalRule& rule, ArgumentLayout layout, Label otherwise) {
  Label next = writer.returning(rule.answer);
  for (unsigned i = rule.count; i-- > 0;)
    next = ConditionWriter(writer, rule.conditions[i], layout).write(next, otherwise);
  return next;
}

}  // namespace

SeccompArg normalized(const SeccompArg& condition, ArgumentLayout layout) {
  SeccompArg result = condition;
  if (layout.low_words_only) {
    result.value = low(result.value);
    result.value_two = low(result.value_two);
  }
  result.value_two = result.op == SeccompOperator::kMaskedEqual ? result.value_two & result.value : 0;
  return result;
}

bool always_holds(const SeccompArg& condition, ArgumentLayout layout) {
  return condition.op == SeccompOperator::kMaskedEqual && normalized(condition, layout).value == 0;
}

bool order_rules(Vector<ConditionalRule>& rules) {
  std::sort(rules.begin(), rules.end(), tried_before);
  size_t kept = 0;
  for (size_t i = 0; i < rules.size(); i++) {
    if (kept > 0 && extends(rules[i], rules[kept - 1])) {
      const ConditionalRule& hiding = rules[kept - 1];
      const bool by_plan = rules[i].multiplexed || hiding.answer == rules[i].answer;
      if (!by_plan && (rules[i].place < hiding.place || rules[i].count == hiding.count)) return false;
      continue;
    }
    rules[kept++] = rules[i];
  }
  rules.resize(kept);
  return true;
}

Label write_rules(BpfWriter& writer, std::span<const ConditionalRule> rules, ArgumentLayout layout,
                  Label otherwise) {
  Vector<std::span<const ConditionalRule>> groups;  // A list of values, or one rule.
  while (!rules.empty()) {
    const size_t list = value_list_length(rules, layout);
    groups.push_back(rules.first(list > 1 ? list : 1));
    rules = rules.subspan(groups.back().size());
  }
  Label next = otherwise;
  for (size_t i = groups.size(); i-- > 0;)
    next = groups[i].size() > 1 ? write_value_list(writer, groups[i], layout, next)
                                : write_rule(writer, groups[i][0], layout, next);
  return next;
}

}  // namespace nsbox
