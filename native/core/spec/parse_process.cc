#include "core/spec/parse.h"
#include "core/spec/parts.h"

namespace nsbox {
namespace {

constexpr size_t kUnknownCapabilities = 64;  // As many are remembered.

void remember_once(Vector<std::string_view>& names, std::string_view name) {
  for (std::string_view one : names)
    if (one == name) return;
  names.push_back(name);
}

Status read_capability_set(const Reader& sets, std::string_view field, CapabilityMask& out,
                           Vector<std::string_view>& unknown) {
  Vector<std::string_view> names;
  TRY(sets.read(field, names));
  for (std::string_view name : names) {
    if (const auto number = capability_number(name))
      out |= CapabilityMask{1} << *number;
    else if (unknown.size() < kUnknownCapabilities)
      remember_once(unknown, name);
  }
  return Ok{};
}

Status read_capabilities(const Reader& sets, ProcessSpec& process) {
  CapabilitySets& out = process.capabilities;
  Vector<std::string_view>& unknown = process.unknown_capabilities;
  TRY(read_capability_set(sets, "bounding", out.bounding, unknown));
  TRY(read_capability_set(sets, "effective", out.effective, unknown));
  TRY(read_capability_set(sets, "inheritable", out.inheritable, unknown));
  TRY(read_capability_set(sets, "permitted", out.permitted, unknown));
  return read_capability_set(sets, "ambient", out.ambient, unknown);
}

Status read_id(const Reader& user, std::string_view field, uint32_t& out) {
  const json::Value* value = user.value().find(field);
  if (value && value->is(json::Kind::kNull)) return user.refuse(field, "expected an id, got null");
  TRY(user.read(field, out));
  if (out == UINT32_MAX) return user.refuse(field, "expected an id from 0 to 4294967294");
  return Ok{};
}

Status read_user(const Reader& user, ProcessSpec& out) {
  TRY(read_id(user, "uid", out.user));
  TRY(read_id(user, "gid", out.group));
  TRY(user.read("additionalGids", out.additional_groups));
  TRY(user.read("nsbox.name", out.named_user));
  TRY(user.read("nsbox.pipes", out.own_pipes));
  TRY(user.read("nsbox.null", out.null_stdio));
  return user.read("umask", out.umask);
}

Status read_rlimit(const Reader& limit, Vector<Rlimit>& out) {
  std::string_view type;
  TRY(limit.read("type", type));
  const auto resource = rlimit_number(type);
  if (!resource) return limit.refuse("type", format("unknown resource limit ", type));
  for (const Rlimit& other : out)
    if (other.resource == *resource) return limit.refuse("type", format("duplicated rlimit ", type));
  for (std::string_view field : {"soft", "hard"})
    if (!limit.has(field)) return limit.refuse(field, "missing");
  Rlimit one;
  one.resource = *resource;
  TRY(limit.read("soft", one.soft));
  TRY(limit.read("hard", one.hard));
  if (one.soft > one.hard) return limit.refuse("soft", "larger than the hard limit");
  out.push_back(one);
  return Ok{};
}

Status read_console_size(const Reader& size, ProcessSpec& out) {
  uint32_t rows = 0, columns = 0;
  TRY(size.read("height", rows));
  TRY(size.read("width", columns));
  if (rows > UINT16_MAX || columns > UINT16_MAX) return size.refuse("", "larger than a terminal can be");
  out.rows = static_cast<uint16_t>(rows);
  out.columns = static_cast<uint16_t>(columns);
  return Ok{};
}

}  // namespace

Result<ProcessSpec> parse_process(const json::Value& value, std::string_view name) {
  const Reader process(value, name);
  TRY(process.expect_object());
  ProcessSpec out;
  TRY(process.read("terminal", out.terminal));
  TRY(process.with_object("consoleSize", [&](const Reader& size) { return read_console_size(size, out); }));
  TRY(process.with_object("user", [&](const Reader& user) { return read_user(user, out); }));
  TRY(process.read("args", out.args));
  TRY(read_environment(process, out.env));
  TRY(process.read("cwd", out.cwd));
  TRY(process.with_object("capabilities", [&](const Reader& sets) { return read_capabilities(sets, out); }));
  TRY(process.each_object("rlimits", [&](const Reader& limit) { return read_rlimit(limit, out.rlimits); }));
  TRY(process.read("noNewPrivileges", out.no_new_privileges));
  if (process.has("oomScoreAdj")) {
    int64_t score = 0;
    TRY(process.read("oomScoreAdj", score));
    if (score < -1000 || score > 1000) return process.refuse("oomScoreAdj", "expected -1000 to 1000");
    out.oom_score_adj = static_cast<int>(score);
  }
  TRY(process.read("apparmorProfile", out.apparmor_profile));
  TRY(process.read("selinuxLabel", out.selinux_label));
  TRY(read_scheduling(process, out));
  if (out.args.empty()) return process.refuse("args", "expected at least the program");
  if (out.cwd.empty() || out.cwd[0] != '/') return process.refuse("cwd", "expected an absolute path");
  return out;
}

}  // namespace nsbox
