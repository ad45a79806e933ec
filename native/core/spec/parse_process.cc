#include "core/spec/parse.h"
#include "core/spec/reader.h"

namespace nsbox {
namespace {

Status read_capability_set(const Reader& sets, std::string_view field, CapabilityMask& out) {
  Vector<std::string_view> names;
  TRY(sets.read(field, names));
  for (std::string_view name : names) {
    const auto number = capability_number(name);
    if (!number) return sets.refuse(field, format("unknown capability ", name));
    out |= CapabilityMask{1} << *number;
  }
  return Ok{};
}

Status read_capabilities(const Reader& sets, CapabilitySets& out) {
  TRY(read_capability_set(sets, "bounding", out.bounding));
  TRY(read_capability_set(sets, "effective", out.effective));
  TRY(read_capability_set(sets, "inheritable", out.inheritable));
  TRY(read_capability_set(sets, "permitted", out.permitted));
  return read_capability_set(sets, "ambient", out.ambient);
}

Status read_id(const Reader& user, std::string_view field, uint32_t& out) {
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
  TRY(process.read("env", out.env));
  TRY(process.read("cwd", out.cwd));
  TRY(process.with_object("capabilities",
                          [&](const Reader& sets) { return read_capabilities(sets, out.capabilities); }));
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
  if (out.args.empty()) return process.refuse("args", "expected at least the program");
  if (out.cwd.empty() || out.cwd[0] != '/') return process.refuse("cwd", "expected an absolute path");
  return out;
}

}  // namespace nsbox
