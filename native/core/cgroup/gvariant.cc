#include "core/cgroup/gvariant.h"

#include "core/cgroup/dbus_signature.h"
#include "core/cgroup/gvariant_tree.h"

namespace nsbox::cgroup {

namespace {

using Kind = GVariantKind;

// Nothing about a number without a word before it but that it is one.
bool is_certain(const GVariant& value) {
  if (!value.type.empty()) return true;
  if (value.kind == Kind::kNumber) return false;
  if (value.kind != Kind::kArray && value.kind != Kind::kTuple && value.kind != Kind::kDictionary)
    return true;
  for (const GVariant& each : value.inside)
    if (!is_certain(each)) return false;
  return !value.inside.empty();
}

Result<String> type_of(const GVariant& value);

// One type for all of them: that of the first which is certain, else of the first. Every `step`th from
// `start`.
Result<String> common_type(const GVariant& list, size_t start, size_t step) {
  if (list.inside.size() <= start) return Error::invalid("what has nothing in it needs a type: @as []");
  for (size_t i = start; i < list.inside.size(); i += step)
    if (is_certain(list.inside[i])) return type_of(list.inside[i]);
  return type_of(list.inside[start]);
}

Result<String> tuple_type(const GVariant& tuple) {
  if (tuple.inside.empty()) return Error::invalid("D-Bus has no empty tuple");
  String type("(");
  for (const GVariant& each : tuple.inside) append(type, TRY(type_of(each)));
  type.append(')');
  return type;
}

Result<String> type_of(const GVariant& value) {
  if (!value.type.empty()) return value.type;
  switch (value.kind) {
    case Kind::kBoolean:
      return String("b");
    case Kind::kNumber:
      return String("i");
    case Kind::kReal:
      return String("d");
    case Kind::kText:
      return String("s");
    case Kind::kBytes:
      return String("ay");
    case Kind::kVariant:
      return String("v");
    case Kind::kTuple:
      return tuple_type(value);
    case Kind::kArray:
      return format('a', TRY(common_type(value, 0, 1)));
    case Kind::kDictionary:
      return format("a{", TRY(common_type(value, 0, 2)), TRY(common_type(value, 1, 2)), '}');
  }
  return Error::invalid("not a value");
}

Error mismatch(std::string_view type) { return Error::invalid("a value is not of the type ", type); }

struct Range {
  char type;
  uint64_t most, least;  // The magnitude of the least.
};
constexpr Range kRanges[] = {
    {'y', 0xff, 0},        {'n', 0x7fff, 0x8000},
    {'q', 0xffff, 0},      {'i', 0x7fff'ffff, 0x8000'0000},
    {'u', 0xffff'ffff, 0}, {'x', INT64_MAX, uint64_t{1} << 63},
    {'t', UINT64_MAX, 0},
};

Status write_number(dbus::Writer& out, const GVariant& value, char type) {
  for (const Range& each : kRanges) {
    if (each.type != type) continue;
    if (value.number > (value.negative ? each.least : each.most))
      return Error::invalid("the number ", value.negative ? "-" : "", value.number,
                            " is too large for its type");
    const uint64_t bits = value.negative ? 0 - value.number : value.number;
    if (type == 'y') out.byte(static_cast<uint8_t>(bits));
    if (type == 'n' || type == 'q') out.uint16(static_cast<uint16_t>(bits));
    if (type == 'i' || type == 'u') out.uint32(static_cast<uint32_t>(bits));
    if (type == 'x' || type == 't') out.uint64(bits);
    return Ok{};
  }
  if (type != 'd') return mismatch(std::string_view(&type, 1));
  const auto real = static_cast<double>(value.number);
  out.real(value.negative ? -real : real);
  return Ok{};
}

Status write_text(dbus::Writer& out, const GVariant& value, std::string_view type) {
  if (type == "g") {
    if (!dbus::is_signature(value.text)) return Error::invalid("not a signature: ", value.text);
    out.signature(value.text);
    return Ok{};
  }
  if (type == "o" && !dbus::is_object_path(value.text))
    return Error::invalid("not an object path: ", value.text);
  if (type != "s" && type != "o") return mismatch(type);
  out.string(value.text);
  return Ok{};
}

// As GVariant has it, with a NUL behind.
Status write_bytes(dbus::Writer& out, const GVariant& value, std::string_view type) {
  if (type != "ay") return mismatch(type);
  const auto array = out.begin_array(1);
  for (const char each : value.text.view()) out.byte(static_cast<uint8_t>(each));
  out.byte(0);
  out.end_array(array);
  return Ok{};
}

Status write(dbus::Writer& out, const GVariant& value, std::string_view type);

Status write_array(dbus::Writer& out, const GVariant& value, std::string_view type) {
  if (type.size() < 2 || type[0] != 'a' || type[1] == '{') return mismatch(type);
  const auto array = out.begin_array(dbus::alignment_of(type[1]));
  for (const GVariant& each : value.inside) TRY(write(out, each, type.substr(1)));
  out.end_array(array);
  return Ok{};
}

Status write_dictionary(dbus::Writer& out, const GVariant& value, std::string_view type) {
  if (!type.starts_with("a{")) return mismatch(type);
  const auto array = out.begin_array(8);
  for (size_t i = 0; i + 1 < value.inside.size(); i += 2) {
    out.begin_struct();
    TRY(write(out, value.inside[i], type.substr(2, 1)));
    TRY(write(out, value.inside[i + 1], type.substr(3, type.size() - 4)));
  }
  out.end_array(array);
  return Ok{};
}

Status write_tuple(dbus::Writer& out, const GVariant& value, std::string_view type) {
  if (!type.starts_with('(')) return mismatch(type);
  out.begin_struct();
  std::string_view rest = type.substr(1, type.size() - 2);
  for (const GVariant& each : value.inside) {
    const size_t length = dbus::type_length(rest);
    if (length == 0) return mismatch(type);
    TRY(write(out, each, rest.substr(0, length)));
    rest.remove_prefix(length);
  }
  return rest.empty() ? Status(Ok{}) : Status(mismatch(type));
}

Status write_variant(dbus::Writer& out, const GVariant& value, std::string_view type) {
  if (type != "v") return mismatch(type);
  const String inner = TRY(type_of(value.inside[0]));
  if (!dbus::is_signature(inner)) return Error::invalid("D-Bus has no type ", inner);
  out.variant(inner);
  return write(out, value.inside[0], inner);
}

Status write(dbus::Writer& out, const GVariant& value, std::string_view type) {
  if (!value.type.empty() && value.type.view() != type) return mismatch(type);
  switch (value.kind) {
    case Kind::kBoolean:
      if (type != "b") return mismatch(type);
      out.boolean(value.number != 0);
      return Ok{};
    case Kind::kReal:
      if (type != "d") return mismatch(type);
      out.real(value.real);
      return Ok{};
    case Kind::kNumber:
      return type.size() == 1 ? write_number(out, value, type[0]) : Status(mismatch(type));
    case Kind::kText:
      return write_text(out, value, type);
    case Kind::kBytes:
      return write_bytes(out, value, type);
    case Kind::kArray:
      return write_array(out, value, type);
    case Kind::kTuple:
      return write_tuple(out, value, type);
    case Kind::kDictionary:
      return write_dictionary(out, value, type);
    case Kind::kVariant:
      return write_variant(out, value, type);
  }
  return mismatch(type);
}

Result<uint64_t> microseconds(const GVariant& seconds) {
  constexpr uint64_t kMillion = 1'000'000;
  uint64_t out = 0;
  if (seconds.kind == Kind::kNumber && !(seconds.negative && seconds.number > 0) &&
      !__builtin_mul_overflow(seconds.number, kMillion, &out))
    return out;
  const double real = seconds.real * 1e6;
  if (seconds.kind == Kind::kReal && real >= 0 && real < 1e18) return static_cast<uint64_t>(real);
  return Error::invalid("not a number of seconds");
}

bool is_property_name(std::string_view name) {
  if (name.size() < 3 || name.size() > 100) return false;
  for (const char c : name)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) return false;
  return true;
}

// "TimeoutStopSec", not "TimeoutStopUSec".
bool is_in_seconds(std::string_view name) {
  if (!name.ends_with("Sec") || name.size() < 4) return false;
  const char before = name[name.size() - 4];
  return before >= 'a' && before <= 'z';
}

Status add_parsed(dbus::Properties& out, std::string_view name, const GVariant& value) {
  const String type = TRY(type_of(value));
  if (dbus::type_length(type) != type.size() || !dbus::is_signature(type))
    return Error::invalid("D-Bus has no type ", type);
  return write(out.begin(name, type), value, type);
}

}  // namespace

Status add_property_text(dbus::Properties& out, std::string_view name, std::string_view text) {
  return add_parsed(out, name, TRY(parse_gvariant(text)));
}

Status add_annotated_property(dbus::Properties& out, std::string_view name, std::string_view text) {
  const auto add = [&]() -> Status {
    if (!is_property_name(name)) return Error::invalid("not a property's name");
    if (!is_in_seconds(name)) return add_property_text(out, name, text);
    const GVariant value = TRY(parse_gvariant(text));
    out.uint64(format(name.substr(0, name.size() - 3), "USec"), TRY(microseconds(value)));
    return Ok{};
  };
  auto done = add();
  if (!done) return Error::invalid("annotation org.systemd.property.", name, ": ", done.error().doing());
  return done;
}

}  // namespace nsbox::cgroup
