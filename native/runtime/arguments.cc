#include "runtime/arguments.h"

namespace nsbox::runtime {
namespace {

const OptionSpec* find_by_name(std::span<const OptionSpec> options, std::string_view name) {
  for (const OptionSpec& one : options)
    if (one.name == name) return &one;
  return nullptr;
}

const OptionSpec* find_by_letter(std::span<const OptionSpec> options, char letter) {
  for (const OptionSpec& one : options)
    if (one.letter == letter) return &one;
  return nullptr;
}

struct Found {
  const OptionSpec* option = nullptr;
  std::string_view value;
  bool has_value = false;
};

// "--name", "--name=value", "-name", "-n", "-nvalue", "-n=value"
Found find(std::span<const OptionSpec> options, std::string_view word) {
  const bool two_dashes = word.starts_with("--");
  std::string_view name = word.substr(two_dashes ? 2 : 1);
  Found out;
  if (const size_t equals = name.find('='); equals != std::string_view::npos) {
    out.value = name.substr(equals + 1);
    out.has_value = true;
    name = name.substr(0, equals);
  }
  if (!two_dashes && name.size() == 1) out.option = find_by_letter(options, name[0]);
  if (!out.option) out.option = find_by_name(options, name);
  if (out.option || two_dashes || name.empty()) return out;
  out.option = find_by_letter(options, name[0]);
  if (out.option && out.option->takes == Takes::kValue) {
    out.value = word.substr(2);
    out.has_value = true;
  } else {
    out.option = nullptr;
  }
  return out;
}

// With one dash, as Go's flag package tells of all.
std::string_view name_in(std::string_view word) {
  word.remove_prefix(word.starts_with("--") ? 2 : 1);
  return word.substr(0, word.find('='));
}

bool is_true(std::string_view text) { return text == "true" || text == "1" || text == "t" || text == "T"; }

}  // namespace

class Scanner {
 public:
  Scanner(std::span<const std::string_view> words, std::span<const OptionSpec> options)
      : words_(words), options_(options) {}

  bool at_end() const { return at_ == words_.size(); }
  bool at_option() const {
    const std::string_view word = words_[at_];
    return word.size() > 1 && word[0] == '-' && !is_number(word);
  }
  bool skip_end_of_options() {
    if (words_[at_] != "--") return false;
    at_++;
    return true;
  }
  std::string_view take() { return words_[at_++]; }
  size_t position() const { return at_; }

  Result<Found> take_option() {
    const std::string_view word = words_[at_];
    Found found = find(options_, word);
    if (!found.option) return Error::invalid("flag provided but not defined: -", name_in(word));
    at_++;
    if (found.option->takes == Takes::kNothing || found.has_value) return found;
    if (at_end()) return Error::invalid("flag needs an argument: -", name_in(word));
    found.value = take();
    return found;
  }

 private:
  // "-1" is a number: `update --memory-swap -1` gives it as a value, and it names no option.
  static bool is_number(std::string_view word) { return word[1] >= '0' && word[1] <= '9'; }

  std::span<const std::string_view> words_;
  std::span<const OptionSpec> options_;
  size_t at_ = 0;
};

Result<Arguments> Arguments::parse(std::span<const std::string_view> words,
                                   std::span<const OptionSpec> options, Operands operands) {
  Arguments out;
  Scanner scanner(words, options);
  while (!scanner.at_end()) {
    if (operands == Operands::kIdThenRest && !out.operands_.empty()) break;
    if (scanner.skip_end_of_options()) break;
    if (!scanner.at_option()) {
      if (operands == Operands::kIdThenWords && !out.operands_.empty()) break;
      out.operands_.push_back(scanner.take());
      continue;
    }
    const Found found = TRY(scanner.take_option());
    if (found.option->takes == Takes::kNothing && found.has_value && !is_true(found.value)) continue;
    out.given_.push_back({found.option->name, found.value});
  }
  while (!scanner.at_end()) out.operands_.push_back(scanner.take());
  return out;
}

Result<Arguments> parse_leading(std::span<const std::string_view> words, std::span<const OptionSpec> options,
                                size_t& consumed) {
  Scanner scanner(words, options);
  while (!scanner.at_end() && scanner.at_option()) TRY(scanner.take_option());
  consumed = scanner.position();
  return Arguments::parse(words.subspan(0, consumed), options, Operands::kMixed);
}

bool Arguments::has(std::string_view name) const {
  for (const Given& one : given_)
    if (one.name == name) return true;
  return false;
}

std::string_view Arguments::value(std::string_view name, std::string_view otherwise) const {
  for (size_t i = given_.size(); i-- > 0;)
    if (given_[i].name == name) return given_[i].value;
  return otherwise;
}

Vector<std::string_view> Arguments::values(std::string_view name) const {
  Vector<std::string_view> out;
  for (const Given& one : given_)
    if (one.name == name) out.push_back(one.value);
  return out;
}

}  // namespace nsbox::runtime
