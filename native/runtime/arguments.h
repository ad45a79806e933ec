#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "core/base/error.h"
#include "core/base/vector.h"

namespace nsbox::runtime {

enum class Takes : uint8_t { kNothing, kValue };

// One option of a verb: "--bundle", "-b".
struct OptionSpec {
  std::string_view name;  // Without its dashes.
  char letter = 0;        // 0: it has none.
  Takes takes = Takes::kNothing;
  std::string_view help;  // "PATH  the bundle's directory"; empty: accepted, and not told of.
};

// Where a verb's own operands end, and options are no longer ours.
enum class Operands : uint8_t {
  kMixed,        // Options may stand anywhere.
  kIdThenWords,  // After the first operand, the second begins words that are passed on as they are.
  kIdThenRest,   // All behind the first operand is passed on as it is.
};

// What stood on the command line. An option given twice has both values, and value() the last.
class Arguments {
 public:
  // Both dialects: `--name=value`, `--name value`, `-n value`, `-nvalue`, `-name` for one dash, as Go's flag
  // packages have it; `--` ends the options. The error names the option.
  static Result<Arguments> parse(std::span<const std::string_view> words, std::span<const OptionSpec> options,
                                 Operands operands);

  bool has(std::string_view name) const;
  std::string_view value(std::string_view name, std::string_view otherwise = {}) const;
  Vector<std::string_view> values(std::string_view name) const;
  std::span<const std::string_view> operands() const { return operands_; }
  std::string_view operand(size_t index) const { return index < operands_.size() ? operands_[index] : ""; }

 private:
  struct Given {
    std::string_view name;
    std::string_view value;
  };
  Vector<Given> given_;
  Vector<std::string_view> operands_;
};

// The number of consumed words before the first operand: for the options that stand before the verb.
Result<Arguments> parse_leading(std::span<const std::string_view> words, std::span<const OptionSpec> options,
                                size_t& consumed);

}  // namespace nsbox::runtime
