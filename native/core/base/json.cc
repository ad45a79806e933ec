#include "core/base/json.h"

#include <cstring>

#include "core/base/vector.h"

namespace nsbox::json {

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::kNull:
      return "null";
    case Kind::kBoolean:
      return "a boolean";
    case Kind::kNumber:
      return "a number";
    case Kind::kString:
      return "a string";
    case Kind::kArray:
      return "an array";
    case Kind::kObject:
      return "an object";
  }
  return "";
}

const Value* Value::find(std::string_view name) const {
  const Value* found = nullptr;
  if (kind_ == Kind::kObject)
    for (const Member& member : members())
      if (member.name == name) found = &member.value;
  return found;
}

bool Value::as_int64(int64_t& out) const {
  if (kind_ != Kind::kNumber || !whole_) return false;
  const uint64_t limit = negative_ ? uint64_t{1} << 63 : INT64_MAX;
  if (number_ > limit) return false;
  out = static_cast<int64_t>(negative_ ? 0 - number_ : number_);
  return true;
}

bool Value::as_uint64(uint64_t& out) const {
  if (kind_ != Kind::kNumber || !whole_ || (negative_ && number_ != 0)) return false;
  out = number_;
  return true;
}

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The length of the UTF-8 sequence at `at`; 0 when it is not one (overlong and surrogate forms are not).
size_t utf8_length(const char* at, const char* end) {
  const auto byte = [at](size_t i) { return static_cast<unsigned char>(at[i]); };
  const auto follows = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const auto left = static_cast<size_t>(end - at);
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return left >= 2 && follows(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (left < 3 || !follows(1) || !follows(2)) return 0;
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;
    if (lead == 0xED && byte(1) > 0x9F) return 0;
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (left < 4 || !follows(1) || !follows(2) || !follows(3)) return 0;
    if (lead == 0xF0 && byte(1) < 0x90) return 0;
    if (lead == 0xF4 && byte(1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

char* put_utf8(char* out, uint32_t point) {
  const auto put = [&out](uint32_t byte) { *out++ = static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | point >> 6);
    put(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    put(0xE0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3F));
    put(0x80 | (point & 0x3F));
  } else {
    put(0xF0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3F));
    put(0x80 | (point >> 6 & 0x3F));
    put(0x80 | (point & 0x3F));
  }
  return out;
}

}  // namespace

class Parser {
 public:
  Parser(std::string_view text, Arena& arena)
      : start_(text.data()), at_(text.data()), end_(text.data() + text.size()), arena_(arena) {}

  Result<Value> document() {
    Value value;
    TRY(parse_value(value, 0));
    skip_blanks();
    if (at_ != end_) return fail("text behind the end of the document");
    return value;
  }

 private:
  Error fail(std::string_view what) const {
    return Error::invalid("JSON: ", what, " at byte ", static_cast<size_t>(at_ - start_));
  }

  void skip_blanks() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r')) at_++;
  }

  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    at_++;
    return true;
  }

  bool take_word(std::string_view word) {
    if (static_cast<size_t>(end_ - at_) < word.size() || memcmp(at_, word.data(), word.size()) != 0)
      return false;
    at_ += word.size();
    return true;
  }

  Status parse_value(Value& out, size_t depth) {
    if (depth > kMaxDepth) return fail("nested too deeply");
    skip_blanks();
    if (at_ == end_) return fail("unexpected end");
    switch (*at_) {
      case '{':
        return parse_object(out, depth);
      case '[':
        return parse_array(out, depth);
      case '"': {
        const std::string_view text = TRY(parse_string());
        out.kind_ = Kind::kString;
        out.text_ = text.data();
        out.size_ = static_cast<uint32_t>(text.size());
        return Ok{};
      }
      default:
        return parse_scalar(out);
    }
  }

  Status parse_scalar(Value& out) {
    if (take_word("null")) return Ok{};
    if (take_word("true")) {
      out.kind_ = Kind::kBoolean;
      out.number_ = 1;
      return Ok{};
    }
    if (take_word("false")) {
      out.kind_ = Kind::kBoolean;
      return Ok{};
    }
    return parse_number(out);
  }

  Status parse_number(Value& out) {
    out.kind_ = Kind::kNumber;
    out.negative_ = take('-');
    out.whole_ = true;
    if (at_ == end_ || !is_digit(*at_)) return fail("unexpected character");
    if (*at_ == '0' && at_ + 1 != end_ && is_digit(at_[1])) return fail("a number with a leading zero");
    for (; at_ != end_ && is_digit(*at_); at_++) {
      const auto digit = static_cast<uint64_t>(*at_ - '0');
      if (out.number_ > (UINT64_MAX - digit) / 10) out.whole_ = false;  // Too large for any field of ours.
      out.number_ = out.number_ * 10 + digit;
    }
    if (take('.')) {
      out.whole_ = false;
      TRY(skip_digits());
    }
    if (take('e') || take('E')) {
      out.whole_ = false;
      if (!take('+')) take('-');
      TRY(skip_digits());
    }
    return Ok{};
  }

  Status skip_digits() {
    if (at_ == end_ || !is_digit(*at_)) return fail("a number without its digits");
    while (at_ != end_ && is_digit(*at_)) at_++;
    return Ok{};
  }

  // The string at the opening quote; points into the document unless an escape must be undone.
  Result<std::string_view> parse_string() {
    at_++;
    const char* begin = at_;
    for (;;) {
      if (at_ == end_) return fail("a string without its end");
      const auto c = static_cast<unsigned char>(*at_);
      if (c == '"') return std::string_view(begin, static_cast<size_t>(at_++ - begin));
      if (c == '\\') return unescape(begin);
      if (c < 0x20) return fail("a control character in a string");
      const size_t length = c < 0x80 ? 1 : utf8_length(at_, end_);
      if (!length) return fail("invalid UTF-8");
      at_ += length;
    }
  }

  Result<std::string_view> unescape(const char* begin) {
    const char* close = at_;
    while (close != end_ && *close != '"') close += *close == '\\' && close + 1 != end_ ? 2 : 1;
    // An escape is never shorter than what it stands for.
    char* buffer = arena_.allocate_array<char>(static_cast<size_t>(close - begin) + 1);
    char* out = buffer;
    const auto plain = static_cast<size_t>(at_ - begin);
    if (plain) memcpy(out, begin, plain);
    out += plain;
    for (;;) {
      if (at_ == end_) return fail("a string without its end");
      const auto c = static_cast<unsigned char>(*at_);
      if (c == '"') {
        at_++;
        *out = '\0';
        return std::string_view(buffer, static_cast<size_t>(out - buffer));
      }
      if (c == '\\') {
        at_++;
        out = TRY(put_escape(out));
        continue;
      }
      if (c < 0x20) return fail("a control character in a string");
      const size_t length = utf8_length(at_, end_);
      if (!length) return fail("invalid UTF-8");
      memcpy(out, at_, length);
      out += length;
      at_ += length;
    }
  }

  Result<char*> put_escape(char* out) {
    if (at_ == end_) return fail("a string without its end");
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char c = *at_++;
    if (const size_t i = kLetters.find(c); i != std::string_view::npos) {
      *out++ = kMeanings[i];
      return out;
    }
    if (c != 'u') return fail("an unknown escape");
    uint32_t point = TRY(hex4());
    if (point >= 0xDC00 && point <= 0xDFFF) return fail("a lone surrogate");
    if (point >= 0xD800 && point <= 0xDBFF) {
      if (!take('\\') || !take('u')) return fail("a lone surrogate");
      const uint32_t low = TRY(hex4());
      if (low < 0xDC00 || low > 0xDFFF) return fail("a lone surrogate");
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    }
    return put_utf8(out, point);
  }

  Result<uint32_t> hex4() {
    uint32_t value = 0;
    for (int i = 0; i < 4; i++, at_++) {
      if (at_ == end_) return fail("a short escape");
      const char c = *at_;
      const int digit = is_digit(c)            ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) return fail("a short escape");
      value = value << 4 | static_cast<uint32_t>(digit);
    }
    return value;
  }

  Status parse_array(Value& out, size_t depth) {
    at_++;
    Vector<Value> items;
    skip_blanks();
    if (!take(']')) {
      for (;;) {
        TRY(parse_value(items.emplace_back(), depth + 1));
        skip_blanks();
        if (take(']')) break;
        if (!take(',')) return fail("expected , or ]");
      }
    }
    out.kind_ = Kind::kArray;
    out.items_ = arena_.copy_array<Value>(items).data();
    out.size_ = static_cast<uint32_t>(items.size());
    return Ok{};
  }

  Status parse_object(Value& out, size_t depth) {
    at_++;
    Vector<Member> members;
    skip_blanks();
    if (!take('}')) {
      for (;;) {
        skip_blanks();
        if (at_ == end_ || *at_ != '"') return fail("expected a member's name");
        Member& member = members.emplace_back();
        member.name = TRY(parse_string());
        skip_blanks();
        if (!take(':')) return fail("expected :");
        TRY(parse_value(member.value, depth + 1));
        skip_blanks();
        if (take('}')) break;
        if (!take(',')) return fail("expected , or }");
      }
    }
    out.kind_ = Kind::kObject;
    out.members_ = arena_.copy_array<Member>(members).data();
    out.size_ = static_cast<uint32_t>(members.size());
    return Ok{};
  }

  const char* start_;
  const char* at_;
  const char* end_;
  Arena& arena_;
};

Result<Value> parse(std::string_view text, Arena& arena) {
  if (text.size() > kMaxSize) return Error::invalid("JSON: larger than ", kMaxSize, " bytes");
  return Parser(text, arena).document();
}

void Writer::separate() {
  if (!first_) out_.append(',');
  first_ = false;
}

Writer& Writer::begin_object() {
  separate();
  out_.append('{');
  first_ = true;
  return *this;
}

Writer& Writer::end_object() {
  out_.append('}');
  first_ = false;
  return *this;
}

Writer& Writer::begin_array() {
  separate();
  out_.append('[');
  first_ = true;
  return *this;
}

Writer& Writer::end_array() {
  out_.append(']');
  first_ = false;
  return *this;
}

Writer& Writer::key(std::string_view name) {
  separate();
  quote(name);
  out_.append(':');
  first_ = true;
  return *this;
}

Writer& Writer::string(std::string_view text) {
  separate();
  quote(text);
  return *this;
}

Writer& Writer::number(int64_t value) {
  separate();
  nsbox::append(out_, value);
  return *this;
}

Writer& Writer::unsigned_number(uint64_t value) {
  separate();
  nsbox::append(out_, value);
  return *this;
}

Writer& Writer::decimal(std::string_view number) {
  separate();
  out_.append(number);
  return *this;
}

Writer& Writer::boolean(bool value) {
  separate();
  out_.append(value ? "true" : "false");
  return *this;
}

Writer& Writer::null() {
  separate();
  out_.append("null");
  return *this;
}

void Writer::quote(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  out_.append('"');
  const char* end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    const auto c = static_cast<unsigned char>(*at);
    const size_t length = utf8_length(at, end);
    if (c == '"' || c == '\\') {
      out_.append('\\');
      out_.append(*at);
    } else if (c < 0x20) {
      const char escape[] = {'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 15]};
      out_.append(std::string_view(escape, sizeof escape));
    } else if (length) {
      out_.append(std::string_view(at, length));
    } else {
      out_.append("\xEF\xBF\xBD");  // U+FFFD: file names need not be UTF-8, JSON must be.
    }
    at += length ? length : 1;
  }
  out_.append('"');
}

}  // namespace nsbox::json
