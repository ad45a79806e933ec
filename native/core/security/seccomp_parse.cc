#include "core/security/seccomp_parse.h"

namespace nsbox {

namespace {

using json::Kind;
using json::Value;

constexpr uint64_t kMaxErrno = 4095;       // What the kernel passes on.
constexpr uint64_t kMaxTraceData = 65535;  // SECCOMP_RET_DATA

// A place in the document, put into words only where something is wrong there.
struct Place {
  const Place* above = nullptr;
  std::string_view name;
  size_t index = 0;
  bool is_index = false;

  void append_to(String& out) const {
    if (above) above->append_to(out);
    if (is_index)
      append(out, '[', index, ']');
    else
      append(out, above ? "." : "", name);
  }
  Place member(std::string_view key) const { return {this, key}; }
  Place item(size_t i) const { return {this, {}, i, true}; }

  template <typename... Parts>
  Error wrong(const Parts&... parts) const {
    String text;
    append_to(text);
    append(text, ": ", parts...);
    return Error::invalid(text);
  }
};

bool given(const Value* value) { return value && !value->is(Kind::kNull); }

Status expect(const Value& value, Kind kind, const Place& place) {
  if (!value.is(kind)) return place.wrong("must be ", name_of(kind), ", not ", name_of(value.kind()));
  return Ok{};
}

// The list of that name; empty where it is absent or null.
Result<std::span<const Value>> list_at(const Value& object, const Place& place) {
  const Value* value = object.find(place.name);
  if (!given(value)) return std::span<const Value>{};
  TRY(expect(*value, Kind::kArray, place));
  return value->items();
}

Result<std::string_view> text_of(const Value* value, const Place& place) {
  if (!given(value)) return place.wrong("is missing");
  TRY(expect(*value, Kind::kString, place));
  return value->string();
}

Result<std::string_view> optional_text(const Value& object, const Place& place) {
  const Value* value = object.find(place.name);
  if (!given(value)) return std::string_view{};
  return text_of(value, place);
}

Result<uint64_t> number_at(const Value& object, const Place& place) {
  const Value* value = object.find(place.name);
  if (!given(value)) return place.wrong("is missing");
  uint64_t number = 0;
  if (!value->as_uint64(number)) return place.wrong("must be a whole number from 0 to 2^64-1");
  return number;
}

Result<SeccompAction> action_at(const Value& object, const Place& place) {
  const std::string_view name = TRY(text_of(object.find(place.name), place));
  const auto action = seccomp_action_of(name);
  if (!action) return place.wrong("unknown action ", name);
  return *action;
}

Result<std::optional<uint16_t>> errno_at(const Value& object, SeccompAction action, const Place& place) {
  if (!given(object.find(place.name))) return std::optional<uint16_t>{};
  if (action != SeccompAction::kErrno && action != SeccompAction::kTrace)
    return place.wrong(oci_name(action), " returns no errno");
  const uint64_t number = TRY(number_at(object, place));
  if (number > (action == SeccompAction::kErrno ? kMaxErrno : kMaxTraceData))
    return place.wrong(number, " is too large");
  return std::optional<uint16_t>(static_cast<uint16_t>(number));
}

Result<SeccompArg> parse_arg(const Value& value, const Place& place) {
  TRY(expect(value, Kind::kObject, place));
  SeccompArg arg;
  const Place index_place = place.member("index");
  const uint64_t index = TRY(number_at(value, index_place));
  if (index > 5) return index_place.wrong(index, " is beyond a call's six arguments");
  arg.index = static_cast<uint32_t>(index);
  arg.value = TRY(number_at(value, place.member("value")));
  if (given(value.find("valueTwo"))) arg.value_two = TRY(number_at(value, place.member("valueTwo")));
  const Place op_place = place.member("op");
  const std::string_view name = TRY(text_of(value.find("op"), op_place));
  const auto op = seccomp_operator_of(name);
  if (!op) return op_place.wrong("unknown operator ", name);
  arg.op = *op;
  return arg;
}

Result<SeccompRule> parse_rule(const Value& value, Arena& arena, const Place& place) {
  TRY(expect(value, Kind::kObject, place));
  SeccompRule rule;
  const Place names_place = place.member("names");
  const auto names = TRY(list_at(value, names_place));
  auto* name_list = arena.allocate_array<std::string_view>(names.size());
  for (size_t i = 0; i < names.size(); i++) {
    if (!names[i].is(Kind::kString)) TRY(expect(names[i], Kind::kString, names_place.item(i)));
    new (name_list + i) std::string_view(names[i].string());
  }
  rule.names = {name_list, names.size()};
  rule.action = TRY(action_at(value, place.member("action")));
  rule.errno_ret = TRY(errno_at(value, rule.action, place.member("errnoRet")));

  const Place args_place = place.member("args");
  const auto args = TRY(list_at(value, args_place));
  auto* arg_list = arena.allocate_array<SeccompArg>(args.size());
  for (size_t i = 0; i < args.size(); i++)
    new (arg_list + i) SeccompArg(TRY(parse_arg(args[i], args_place.item(i))));
  rule.args = {arg_list, args.size()};
  return rule;
}

Status parse_architectures(const Value& value, SeccompProfile& profile, const Place& place) {
  const auto names = TRY(list_at(value, place));
  for (size_t i = 0; i < names.size(); i++) {
    const std::string_view name = TRY(text_of(&names[i], place.item(i)));
    const NamedArchitecture named = architecture_of(name);
    if (!named.known) return place.item(i).wrong("unknown architecture ", name);
    if (!named.architecture) continue;
    bool new_one = true;
    for (const Architecture known : profile.architectures) new_one = new_one && known != *named.architecture;
    if (new_one) profile.architectures.push_back(*named.architecture);
  }
  return Ok{};
}

Status parse_flags(const Value& value, SeccompProfile& profile, const Place& place) {
  if (!given(value.find(place.name))) return Ok{};
  uint32_t flags = 0;
  const auto names = TRY(list_at(value, place));
  for (size_t i = 0; i < names.size(); i++) {
    const std::string_view name = TRY(text_of(&names[i], place.item(i)));
    const auto flag = seccomp_flag_of(name);
    if (!flag) return place.item(i).wrong("unknown flag ", name);
    flags |= *flag;
  }
  profile.flags = flags;
  return Ok{};
}

// Without someone who answers, a notifying call would wait for ever, from the start on if it is the default.
Status check_listener(const SeccompProfile& profile, const Place& place) {
  if (profile.default_action == SeccompAction::kNotify)
    return place.member("defaultAction").wrong("SCMP_ACT_NOTIFY cannot be the default");
  if (profile.notifies() && profile.listener_path.empty())
    return place.member("listenerPath").wrong("is missing, but a rule notifies");
  return Ok{};
}

void write_args(json::Writer& writer, std::span<const SeccompArg> args) {
  writer.key("args").begin_array();
  for (const SeccompArg& arg : args) {
    writer.begin_object();
    writer.key("index").unsigned_number(arg.index);
    writer.key("value").unsigned_number(arg.value);
    if (arg.value_two != 0) writer.key("valueTwo").unsigned_number(arg.value_two);
    writer.key("op").string(oci_name(arg.op));
    writer.end_object();
  }
  writer.end_array();
}

void write_rule(json::Writer& writer, const SeccompRule& rule) {
  writer.begin_object();
  writer.key("names").begin_array();
  for (const std::string_view name : rule.names) writer.string(name);
  writer.end_array();
  writer.key("action").string(oci_name(rule.action));
  if (rule.errno_ret) writer.key("errnoRet").unsigned_number(*rule.errno_ret);
  if (!rule.args.empty()) write_args(writer, rule.args);
  writer.end_object();
}

void write_flags(json::Writer& writer, uint32_t flags) {
  writer.key("flags").begin_array();
  for (const std::string_view name : seccomp_flag_names())
    if (flags & seccomp_flag_of(name).value_or(0)) writer.string(name);
  writer.end_array();
}

}  // namespace

Result<SeccompProfile> parse_seccomp(const Value& value, Arena& arena, std::string_view where,
                                     std::string_view receiver) {
  const Place place{nullptr, where};
  TRY(expect(value, Kind::kObject, place));
  SeccompProfile profile;
  profile.default_action = TRY(action_at(value, place.member("defaultAction")));
  profile.default_errno = TRY(errno_at(value, profile.default_action, place.member("defaultErrnoRet")));
  TRY(parse_architectures(value, profile, place.member("architectures")));
  TRY(parse_flags(value, profile, place.member("flags")));
  profile.listener_path = TRY(optional_text(value, place.member("listenerPath")));
  profile.listener_metadata = TRY(optional_text(value, place.member("listenerMetadata")));

  const Place rules_place = place.member("syscalls");
  const auto rules = TRY(list_at(value, rules_place));
  profile.syscalls.reserve(rules.size());
  for (size_t i = 0; i < rules.size(); i++)
    profile.syscalls.push_back(TRY(parse_rule(rules[i], arena, rules_place.item(i))));
  if (!receiver.empty()) profile.listener_path = receiver;
  TRY(check_listener(profile, place));
  return profile;
}

void write_seccomp(json::Writer& writer, const SeccompProfile& profile) {
  writer.begin_object();
  writer.key("defaultAction").string(oci_name(profile.default_action));
  if (profile.default_errno) writer.key("defaultErrnoRet").unsigned_number(*profile.default_errno);
  if (!profile.architectures.empty()) {
    writer.key("architectures").begin_array();
    for (const Architecture architecture : profile.architectures) writer.string(oci_name(architecture));
    writer.end_array();
  }
  if (profile.flags) write_flags(writer, *profile.flags);
  if (!profile.listener_path.empty()) writer.key("listenerPath").string(profile.listener_path);
  if (!profile.listener_metadata.empty()) writer.key("listenerMetadata").string(profile.listener_metadata);
  writer.key("syscalls").begin_array();
  for (const SeccompRule& rule : profile.syscalls) write_rule(writer, rule);
  writer.end_array();
  writer.end_object();
}

String profile_to_json(const SeccompProfile& profile) {
  json::Writer writer;
  write_seccomp(writer, profile);
  return writer.take();
}

}  // namespace nsbox
