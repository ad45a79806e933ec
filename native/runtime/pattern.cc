#include "runtime/pattern.h"

namespace nsbox::runtime {
namespace {

// How much work one match may be: a pattern with nested repetitions would otherwise go on for ever.
constexpr unsigned kMostSteps = 200'000;

// Backtracking over the pattern's text itself. Patterns are a person's, and ids are short.
class Matcher {
 public:
  explicit Matcher(std::string_view pattern) : pattern_(pattern) {}

  bool search(std::string_view text) {
    text_ = text;
    for (size_t start = 0; start <= text.size(); start++)
      if (alternatives(0, pattern_.size(), start, {})) return true;
    return false;
  }

 private:
  // What must match behind the part that is being matched: a chain on the stack.
  struct Then {
    const Then* next = nullptr;
    bool (*go)(Matcher& self, const Then& then, size_t at) = nullptr;
    size_t from = 0, to = 0, atom_end = 0, least = 0, most = 0, entered = 0;
  };

  bool follow(const Then* then, size_t at) { return !then || !then->go || then->go(*this, *then, at); }

  // The end of the atom at `from`: one character, a class, a group.
  size_t atom_end(size_t from) const {
    if (pattern_[from] == '\\') return from + 2;
    if (pattern_[from] == '[') {
      size_t end = from + 1;
      if (pattern_[end] == '^') end++;
      if (pattern_[end] == ']') end++;
      while (pattern_[end] != ']') end++;
      return end + 1;
    }
    if (pattern_[from] != '(') return from + 1;
    size_t depth = 0, end = from;
    do {
      if (pattern_[end] == '\\') {
        end += 2;
        continue;
      }
      if (pattern_[end] == '[') {
        end = atom_end(end);
        continue;
      }
      depth += pattern_[end] == '(';
      depth -= pattern_[end] == ')';
      end++;
    } while (depth);
    return end;
  }

  bool alternatives(size_t from, size_t to, size_t at, const Then& then) {
    size_t start = from;
    for (size_t end = from; end <= to; end = end < to ? atom_end(end) : end + 1) {
      if (end < to && pattern_[end] != '|') continue;
      if (sequence(start, end, at, &then)) return true;
      start = end + 1;
    }
    return false;
  }

  bool sequence(size_t from, size_t to, size_t at, const Then* then) {
    if (++steps_ > kMostSteps) return false;
    if (from == to) return follow(then, at);
    if (pattern_[from] == '^') return at == 0 && sequence(from + 1, to, at, then);
    if (pattern_[from] == '$') return at == text_.size() && sequence(from + 1, to, at, then);
    const size_t end = atom_end(from);
    const char sign = end < to ? pattern_[end] : 0;
    if (sign != '*' && sign != '+' && sign != '?') {
      const Then rest = {then, &rest_of_sequence, end, to};
      return atom(from, end, at, rest);
    }
    Then again = {then, &repeat, end + 1, to, end, from};
    again.most = sign == '?' ? 1 : SIZE_MAX;
    again.entered = SIZE_MAX;
    if (sign == '+') {
      const Then first = {&again, &follow_repeat, 0, 0};
      return atom(from, end, at, first);
    }
    return repeat(*this, again, at);
  }

  static bool rest_of_sequence(Matcher& self, const Then& then, size_t at) {
    return self.sequence(then.from, then.to, at, then.next);
  }
  static bool follow_repeat(Matcher& self, const Then& then, size_t at) {
    return repeat(self, *then.next, at);
  }

  // As many as there are, then fewer. `least` is where the atom begins; one that takes nothing is not
  // repeated.
  static bool repeat(Matcher& self, const Then& then, size_t at) {
    if (++self.steps_ > kMostSteps) return false;
    if (then.most && then.entered != at) {
      Then again = then;
      again.entered = at;
      again.most = then.most == SIZE_MAX ? SIZE_MAX : then.most - 1;
      if (self.atom(then.least, then.atom_end, at, again)) return true;
    }
    return self.sequence(then.from, then.to, at, then.next);
  }

  bool atom(size_t from, size_t end, size_t at, const Then& then) {
    if (pattern_[from] == '(') return alternatives(from + 1, end - 1, at, then);
    return at < text_.size() && takes(from, end, text_[at]) && follow(&then, at + 1);
  }

  bool takes(size_t from, size_t end, char c) const {
    if (pattern_[from] == '.') return true;
    if (pattern_[from] == '\\') return pattern_[from + 1] == c;
    if (pattern_[from] != '[') return pattern_[from] == c;
    size_t at = from + 1;
    const bool inverted = pattern_[at] == '^';
    at += inverted;
    bool found = false;
    for (bool first = true; first || at < end - 1; first = false) {
      const bool is_range = at + 2 < end - 1 && pattern_[at + 1] == '-';
      found = found || (is_range ? c >= pattern_[at] && c <= pattern_[at + 2] : c == pattern_[at]);
      at += is_range ? 3 : 1;
    }
    return found != inverted;
  }

  std::string_view pattern_;
  std::string_view text_;
  unsigned steps_ = 0;
};

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Whether every bracket is closed, and every sign of repetition stands behind something. What other dialects
// know beside (\d, {2}, [[:digit:]]) is refused: taken for plain characters, it would choose others.
bool is_well_formed(std::string_view text) {
  size_t depth = 0;
  bool repeatable = false;
  for (size_t i = 0; i < text.size(); i++) {
    const char c = text[i];
    if (c == '\\') {
      if (++i == text.size() || is_letter_or_digit(text[i])) return false;
    } else if (c == '[') {
      size_t end = i + 1;
      if (end < text.size() && text[end] == '^') end++;
      end = text.find(']', end + 1);
      if (end == std::string_view::npos) return false;
      const std::string_view inside = text.substr(i + 1, end - i - 1);
      if (inside.find("[:") != std::string_view::npos || inside.find('\\') != std::string_view::npos)
        return false;
      i = end;
    } else if (c == '{' || c == '}') {
      return false;
    } else if (c == ')') {
      if (depth-- == 0) return false;
    } else if ((c == '*' || c == '+' || c == '?') && !repeatable) {
      return false;
    }
    depth += c == '(';
    repeatable = c != '(' && c != '|' && c != '^' && c != '*' && c != '+' && c != '?';
  }
  return depth == 0;
}

}  // namespace

Result<Pattern> Pattern::parse(std::string_view text) {
  if (!is_well_formed(text) || text.size() > 4096) return Error::invalid("not a regular expression: ", text);
  return Pattern(text);
}

bool Pattern::matches(std::string_view text) const { return Matcher(text_).search(text); }

}  // namespace nsbox::runtime
