#include "core/spec/reader.h"

namespace nsbox {

using json::Kind;

String Reader::place(std::string_view field) const {
  String path;
  if (parent_)
    path = parent_->place(name_);
  else
    path.append(name_);
  if (index_) append(path, "[", *index_, "]");
  if (!field.empty()) append(path, path.empty() ? "" : ".", field);
  return path;
}

Error Reader::refuse(std::string_view field, std::string_view why) const {
  return Error::invalid(place(field), ": ", why);
}

Error Reader::wrong(std::string_view field, const json::Value& got, std::string_view expected) const {
  return Error::invalid(place(field), ": expected ", expected, ", got ", json::name_of(got.kind()));
}

Status Reader::expect_object() const {
  if (value_.is(Kind::kObject)) return Ok{};
  return Error::invalid(place(""), ": expected an object, got ", json::name_of(value_.kind()));
}

Status Reader::text(std::string_view field, const json::Value& value, std::string_view& out) const {
  if (!value.is(Kind::kString)) return wrong(field, value, "a string");
  if (value.string().find('\0') != std::string_view::npos) return refuse(field, "a NUL character in it");
  out = value.string();
  return Ok{};
}

Status Reader::read(std::string_view field, std::string_view& out) const {
  const json::Value* value = value_.find(field);
  if (!value || value->is(Kind::kNull)) return Ok{};
  return text(field, *value, out);
}

Status Reader::read(std::string_view field, bool& out) const {
  const json::Value* value = value_.find(field);
  if (!value || value->is(Kind::kNull)) return Ok{};
  if (!value->is(Kind::kBoolean)) return wrong(field, *value, "a boolean");
  out = value->boolean();
  return Ok{};
}

Status Reader::read(std::string_view field, uint64_t& out) const {
  const json::Value* value = value_.find(field);
  if (!value || value->is(Kind::kNull)) return Ok{};
  if (!value->is(Kind::kNumber)) return wrong(field, *value, "a number");
  if (!value->as_uint64(out)) return refuse(field, "expected a whole number from 0");
  return Ok{};
}

Status Reader::read(std::string_view field, int64_t& out) const {
  const json::Value* value = value_.find(field);
  if (!value || value->is(Kind::kNull)) return Ok{};
  if (!value->is(Kind::kNumber)) return wrong(field, *value, "a number");
  if (!value->as_int64(out)) return refuse(field, "expected a whole number");
  return Ok{};
}

Status Reader::read(std::string_view field, int32_t& out) const {
  int64_t wide = out;
  TRY(read(field, wide));
  if (wide < INT32_MIN || wide > INT32_MAX) return refuse(field, "larger than 32 bits");
  out = static_cast<int32_t>(wide);
  return Ok{};
}

Status Reader::read(std::string_view field, uint32_t& out) const {
  uint64_t wide = out;
  TRY(read(field, wide));
  if (wide > UINT32_MAX) return refuse(field, "larger than 32 bits");
  out = static_cast<uint32_t>(wide);
  return Ok{};
}

Status Reader::read(std::string_view field, std::optional<uint32_t>& out) const {
  if (!has(field)) return Ok{};
  uint32_t value = 0;
  TRY(read(field, value));
  out = value;
  return Ok{};
}

Status Reader::read(std::string_view field, Vector<std::string_view>& out) const {
  const json::Value* list = value_.find(field);
  if (!list || list->is(Kind::kNull)) return Ok{};
  if (!list->is(Kind::kArray)) return wrong(field, *list, "an array");
  out.reserve(list->items().size());
  for (size_t i = 0; i < list->items().size(); i++) {
    const json::Value& item = list->items()[i];
    // The item's own name is made only for a message.
    if (!item.is(Kind::kString) || item.string().find('\0') != std::string_view::npos) {
      std::string_view unused;
      return text(format(field, "[", i, "]"), item, unused);
    }
    out.push_back(item.string());
  }
  return Ok{};
}

Status Reader::read(std::string_view field, Vector<uint32_t>& out) const {
  const json::Value* list = value_.find(field);
  if (!list || list->is(Kind::kNull)) return Ok{};
  if (!list->is(Kind::kArray)) return wrong(field, *list, "an array");
  for (size_t i = 0; i < list->items().size(); i++) {
    uint64_t number = 0;
    if (!list->items()[i].as_uint64(number) || number >= UINT32_MAX)
      return refuse(format(field, "[", i, "]"), "expected a whole number from 0 to 4294967294");
    out.push_back(static_cast<uint32_t>(number));
  }
  return Ok{};
}

}  // namespace nsbox
