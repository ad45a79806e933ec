#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/json.h"
#include "core/base/vector.h"

// Takes fields out of JSON objects, strictly by type. An absent field leaves the target as it is; unknown
// fields are nobody's business (runtime-spec, "Extensibility"). Errors name the place: "process.args[0]:
// expected a string, got a number".
namespace nsbox {

class Reader {
 public:
  // `object` must be an object. The place is told lazily, by the chain of parents.
  Reader(const json::Value& object, std::string_view name, const Reader* parent = nullptr)
      : value_(object), name_(name), parent_(parent) {}

  Status expect_object() const;
  // A null is as good as nothing.
  bool has(std::string_view field) const {
    const json::Value* value = value_.find(field);
    return value && !value->is(json::Kind::kNull);
  }

  Status read(std::string_view field, std::string_view& out) const;
  Status read(std::string_view field, bool& out) const;
  Status read(std::string_view field, uint32_t& out) const;
  Status read(std::string_view field, std::optional<uint32_t>& out) const;
  Status read(std::string_view field, uint64_t& out) const;
  Status read(std::string_view field, int64_t& out) const;
  Status read(std::string_view field, int32_t& out) const;
  Status read(std::string_view field, Vector<std::string_view>& out) const;
  Status read(std::string_view field, Vector<uint32_t>& out) const;

  // The value of a member that is at hand, without another search for its name.
  Status read(const json::Member& member, std::string_view& out) const {
    return text(member.name, member.value, out);
  }

  // Calls `each(Reader)` for every object of the array of that name.
  template <typename Each>
  Status each_object(std::string_view field, Each each) const {
    const json::Value* list = value_.find(field);
    if (!list || list->is(json::Kind::kNull)) return Ok{};
    if (!list->is(json::Kind::kArray)) return wrong(field, *list, "an array");
    for (size_t i = 0; i < list->items().size(); i++) {
      const Reader item(list->items()[i], field, this, i);
      TRY(item.expect_object());
      TRY(each(item));
    }
    return Ok{};
  }
  // Calls `then(Reader)` with the object of that name, when there is one.
  template <typename Then>
  Status with_object(std::string_view field, Then then) const {
    const json::Value* value = value_.find(field);
    if (!value || value->is(json::Kind::kNull)) return Ok{};
    const Reader inner(*value, field, this);
    TRY(inner.expect_object());
    return then(inner);
  }

  const json::Value& value() const { return value_; }
  // "process.args" for the field "args".
  String place(std::string_view field) const;
  Error refuse(std::string_view field, std::string_view why) const;

 private:
  Reader(const json::Value& object, std::string_view name, const Reader* parent, size_t index)
      : value_(object), name_(name), parent_(parent), index_(index) {}

  Error wrong(std::string_view field, const json::Value& got, std::string_view expected) const;
  Status text(std::string_view field, const json::Value& value, std::string_view& out) const;

  const json::Value& value_;
  std::string_view name_;
  const Reader* parent_;
  std::optional<size_t> index_;
};

}  // namespace nsbox
