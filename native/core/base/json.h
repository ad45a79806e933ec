#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/arena.h"
#include "core/base/error.h"

// A reader and a writer of JSON (RFC 8259), strict: one document, valid UTF-8, no trailing comma. The
// reader's values live in an arena; its limits keep hostile input from using up stack or memory.
namespace nsbox::json {

inline constexpr size_t kMaxDepth = 64;
inline constexpr size_t kMaxSize = size_t{16} * 1024 * 1024;

enum class Kind : uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };

// "a number", "an object": for messages.
std::string_view name_of(Kind kind);

struct Member;

class Value {
 public:
  Value() = default;

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }

  bool boolean() const { return number_ != 0; }
  std::string_view string() const { return {text_, size_}; }
  std::span<const Value> items() const { return {items_, size_}; }
  std::span<const Member> members() const;
  // The member of that name (the last one, where a name stands twice); null when there is none.
  const Value* find(std::string_view name) const;

  // A number that is a whole one and fits; nothing when it is fractional or too large.
  bool as_int64(int64_t& out) const;
  bool as_uint64(uint64_t& out) const;

 private:
  friend class Parser;

  union {
    const char* text_ = nullptr;
    const Value* items_;
    const Member* members_;
  };
  uint64_t number_ = 0;  // The magnitude of a number; 0 or 1 of a boolean.
  uint32_t size_ = 0;
  Kind kind_ = Kind::kNull;
  bool negative_ = false;
  bool whole_ = false;
};

struct Member {
  std::string_view name;
  Value value;
};

inline std::span<const Member> Value::members() const { return {members_, size_}; }

// The document in `text`, which must outlive the value: strings without escapes point into it.
Result<Value> parse(std::string_view text, Arena& arena);

// Writes one document into a String; the caller keeps the grammar (begin/end in pairs, a key before each
// member).
class Writer {
 public:
  Writer& begin_object();
  Writer& end_object();
  Writer& begin_array();
  Writer& end_array();
  Writer& key(std::string_view name);
  Writer& string(std::string_view text);
  Writer& number(int64_t value);
  Writer& unsigned_number(uint64_t value);
  // A number that is a text already: "0.25".
  Writer& decimal(std::string_view number);
  Writer& boolean(bool value);
  Writer& null();

  std::string_view view() const { return out_.view(); }
  String take() { return std::move(out_); }

 private:
  void separate();
  void quote(std::string_view text);

  String out_;
  bool first_ = true;
};

}  // namespace nsbox::json
