#include "core/cgroup/gvariant_tree.h"

#include "core/cgroup/dbus_signature.h"
#include "core/cgroup/gvariant_literals.h"

namespace nsbox::cgroup {

namespace {

constexpr unsigned kMaxNesting = 16;
constexpr size_t kMaxValues = 4096, kMaxText = 65536;

struct TypeWord {
  std::string_view word, type;
};
constexpr TypeWord kTypeWords[] = {
    {"boolean", "b"}, {"byte", "y"},   {"int16", "n"},      {"uint16", "q"},
    {"int32", "i"},   {"uint32", "u"}, {"int64", "x"},      {"uint64", "t"},
    {"double", "d"},  {"string", "s"}, {"objectpath", "o"}, {"signature", "g"},
};

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  Result<GVariant> parse_all() {
    GVariant value = TRY(parse(0));
    skip_blanks();
    if (!rest_.empty()) return Error::invalid("there is more behind its end: ", rest_.substr(0, 20));
    return value;
  }

 private:
  void skip_blanks() {
    while (!rest_.empty() && std::string_view(" \t\r\n").find(rest_[0]) != std::string_view::npos)
      rest_.remove_prefix(1);
  }
  bool take(char c) {
    skip_blanks();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view peek_word() {
    size_t size = 0;
    while (size < rest_.size() && ((rest_[size] >= 'a' && rest_[size] <= 'z') ||
                                   (size > 0 && rest_[size] >= '0' && rest_[size] <= '9')))
      size++;
    return rest_.substr(0, size);
  }

  Result<GVariant> parse(unsigned nesting) {
    if (nesting > kMaxNesting || ++values_ > kMaxValues)
      return Error::invalid("it is nested too deep, or too long");
    skip_blanks();
    const String type = TRY(take_type());
    GVariant value = TRY(parse_untyped(nesting));
    if (!type.empty()) value.type = type;
    return value;
  }

  // "uint64", or "@t".
  Result<String> take_type() {
    if (rest_.starts_with('@')) {
      const size_t length = dbus::type_length(rest_.substr(1));
      if (length == 0) return Error::invalid("not a type: ", rest_.substr(0, 20));
      String type(rest_.substr(1, length));
      rest_.remove_prefix(length + 1);
      skip_blanks();
      return type;
    }
    const std::string_view word = peek_word();
    for (const TypeWord& each : kTypeWords) {
      if (each.word != word) continue;
      rest_.remove_prefix(word.size());
      skip_blanks();
      return String(each.type);
    }
    return String();
  }

  Result<GVariant> parse_untyped(unsigned nesting) {
    if (take('[')) return parse_items(GVariantKind::kArray, ']', nesting);
    if (take('(')) return parse_items(GVariantKind::kTuple, ')', nesting);
    if (take('{')) return parse_dictionary(nesting);
    if (take('<')) return parse_variant(nesting);
    return parse_literal(rest_);
  }

  Result<GVariant> parse_items(GVariantKind kind, char close, unsigned nesting) {
    GVariant list;
    list.kind = kind;
    while (!take(close)) {
      list.inside.push_back(TRY(parse(nesting + 1)));
      // "(1,)" is a tuple of one.
      if (take(',')) continue;
      if (take(close)) break;
      return Error::invalid("a comma or a closing ", close, " is missing");
    }
    return list;
  }

  Result<GVariant> parse_dictionary(unsigned nesting) {
    GVariant list;
    list.kind = GVariantKind::kDictionary;
    while (!take('}')) {
      list.inside.push_back(TRY(parse(nesting + 1)));
      if (!take(':')) return Error::invalid("a colon is missing in a dictionary");
      list.inside.push_back(TRY(parse(nesting + 1)));
      if (take(',')) continue;
      if (take('}')) break;
      return Error::invalid("a comma or a closing } is missing");
    }
    return list;
  }

  Result<GVariant> parse_variant(unsigned nesting) {
    GVariant variant;
    variant.kind = GVariantKind::kVariant;
    variant.inside.push_back(TRY(parse(nesting + 1)));
    if (!take('>')) return Error::invalid("a closing > is missing");
    return variant;
  }

  std::string_view rest_;
  size_t values_ = 0;
};

}  // namespace

Result<GVariant> parse_gvariant(std::string_view text) {
  if (text.size() > kMaxText) return Error::invalid("it is too long");
  return Parser(text).parse_all();
}

}  // namespace nsbox::cgroup
