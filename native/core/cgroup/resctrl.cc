#include "core/cgroup/resctrl.h"

#include <algorithm>
#include <cerrno>

#include "core/base/text.h"
#include "core/cgroup/files.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox::cgroup {

namespace {

constexpr const char* kPath = "/sys/fs/resctrl";
constexpr long kMagic = 0x7655821;  // RDTGROUP_SUPER_MAGIC

Result<UniqueFd> open_resctrl() {
  auto root = sys::open(kPath, O_PATH | O_DIRECTORY);
  sys::KernelStatfs found = {};
  if (root) TRY(sys::fstatfs(root->get(), found));
  if (!root || found.type != kMagic)
    return Error::plain(ENODEV, "linux.intelRdt: there is no resctrl on this machine (nothing at ", kPath,
                        ")");
  return root;
}

String class_of(const IntelRdt& rdt, std::string_view container_id) {
  if (rdt.clos_id == "/") return String(".");
  return String(rdt.clos_id.empty() ? container_id : rdt.clos_id);
}

void append_lines(String& out, std::string_view lines, bool with_bandwidth) {
  while (!lines.empty()) {
    const std::string_view line = trim(cut(lines, '\n'));
    if (!line.empty() && (with_bandwidth || !line.starts_with("MB:"))) append(out, line, '\n');
  }
}

// "0007f" and "7F" are one value.
bool same_value(std::string_view a, std::string_view b) {
  const auto bare = [](std::string_view text) {
    while (text.size() > 1 && text[0] == '0') text.remove_prefix(1);
    return text;
  };
  a = bare(a), b = bare(b);
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
           return lower(x) == lower(y);
         });
}

// The value that "L3:0=ff;1=f" has for the domain; empty when it names none.
std::string_view domain_value(std::string_view domains, std::string_view wanted) {
  while (!domains.empty()) {
    std::string_view value = cut(domains, ';');
    if (trim(cut(value, '=')) == wanted) return trim(value);
  }
  return {};
}

std::string_view domains_of(std::string_view present, std::string_view resource) {
  while (!present.empty()) {
    std::string_view line = cut(present, '\n');
    if (trim(cut(line, ':')) == resource) return line;
  }
  return {};
}

// The kernel tells in words what was wrong with the last write.
Error failure(int root, const Error& error) {
  auto told = read_value(root, "info/last_cmd_status");
  const std::string_view why = told ? trim(told->view()) : std::string_view();
  if (why.empty() || why == "ok") return error;
  return Error::plain(error.err(), why);
}

Status write_schemata(int root, int group, std::string_view lines) {
  if (auto done = write_value(group, "schemata", lines); !done)
    return failure(root, done.error()).while_doing("write linux.intelRdt's schemata");
  return Ok{};
}

// config-linux.md: a class that others share is not changed by us, only compared with.
Status compare_schemata(int group, std::string_view name, std::string_view lines) {
  const String present = TRY(read_value(group, "schemata"));
  if (schemata_agree(present, lines)) return Ok{};
  return Error::invalid("linux.intelRdt: the class ", name, " exists with another schemata");
}

Result<UniqueFd> open_class(int root, const IntelRdt& rdt, std::string_view container_id) {
  const String name = class_of(rdt, container_id);
  const String lines = schemata_of(rdt);
  auto group = sys::openat(root, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (group) {
    if (!lines.empty()) TRY(compare_schemata(group->get(), name, lines));
    return group;
  }
  if (group.err() != ENOENT) return group.error().while_doing("open the resctrl class ", name);
  if (!rdt.clos_id.empty() && lines.empty())
    return Error::plain(ENOENT, "linux.intelRdt.closID: there is no class ", name,
                        ", and nothing to make it of");
  if (auto made = sys::mkdirat(root, name.c_str(), 0755); !made)
    return failure(root, made.error()).while_doing("make the resctrl class ", name);
  group = sys::openat(root, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW);
  Status done = Ok{};
  if (group && !lines.empty()) done = write_schemata(root, group->get(), lines);
  if (!group || !done) {
    (void)sys::unlinkat(root, name.c_str(), AT_REMOVEDIR);  // What cannot be used is not left behind.
    return group ? done.error() : group.error();
  }
  return group;
}

Status check_monitoring(int root, const IntelRdt& rdt) {
  if (!rdt.enable_cmt && !rdt.enable_mbm) return Ok{};
  auto features = read_value(root, "info/L3_MON/mon_features");
  const std::string_view has = features ? features->view() : std::string_view();
  if (rdt.enable_cmt && has.find("llc_occupancy") == std::string_view::npos)
    return Error::plain(ENODEV, "linux.intelRdt.enableCMT: this machine has no cache monitoring");
  if (rdt.enable_mbm && has.find("mbm_") == std::string_view::npos)
    return Error::plain(ENODEV, "linux.intelRdt.enableMBM: this machine has no bandwidth monitoring");
  return Ok{};
}

Status enter(int root, int group, int pid) {
  if (auto done = write_value(group, "tasks", format(pid)); !done)
    return failure(root, done.error()).while_doing("enter the resctrl class");
  return Ok{};
}

Status enter_monitoring(int root, int group, std::string_view container_id, int pid) {
  const String name = format("mon_groups/", container_id);
  if (auto made = sys::mkdirat(group, name.c_str(), 0755); !made && made.err() != EEXIST)
    return failure(root, made.error()).while_doing("make the resctrl monitoring group");
  const UniqueFd monitor = TRY(sys::openat(group, name.c_str(), O_PATH | O_DIRECTORY));
  return enter(root, monitor.get(), pid);
}

}  // namespace

String schemata_of(const IntelRdt& rdt) {
  String out;
  append_lines(out, rdt.l3_cache_schema, rdt.mem_bw_schema.empty());
  append_lines(out, rdt.mem_bw_schema, true);
  for (const std::string_view line : rdt.schemata) append_lines(out, line, true);
  return out;
}

bool schemata_agree(std::string_view present, std::string_view wanted) {
  while (!wanted.empty()) {
    std::string_view line = cut(wanted, '\n');
    if (trim(line).empty()) continue;
    const std::string_view domains = domains_of(present, trim(cut(line, ':')));
    while (!line.empty()) {
      std::string_view value = cut(line, ';');
      const std::string_view domain = trim(cut(value, '='));
      const std::string_view found = domain_value(domains, domain);
      if (found.empty() || !same_value(found, trim(value))) return false;
    }
  }
  return true;
}

Status apply_intel_rdt(const IntelRdt& rdt, std::string_view container_id, int pid) {
  const UniqueFd root = TRY(open_resctrl());
  TRY(check_monitoring(root.get(), rdt));
  const UniqueFd group = TRY(open_class(root.get(), rdt, container_id));
  TRY(enter(root.get(), group.get(), pid));
  if (rdt.enable_monitoring) TRY(enter_monitoring(root.get(), group.get(), container_id, pid));
  return Ok{};
}

Status change_intel_rdt(const IntelRdt& rdt, std::string_view container_id) {
  const UniqueFd root = TRY(open_resctrl());
  const String name = class_of(rdt, container_id);
  auto group = sys::openat(root.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!group) return group.error().while_doing("open the resctrl class ", name);
  return write_schemata(root.get(), group->get(), schemata_of(rdt));
}

Status remove_intel_rdt(const IntelRdt& rdt, std::string_view container_id) {
  auto root = open_resctrl();
  if (!root) return Ok{};
  const String name = rdt.clos_id.empty() ? String(container_id)
                                          : format(class_of(rdt, container_id), "/mon_groups/", container_id);
  if (!rdt.clos_id.empty() && !rdt.enable_monitoring) return Ok{};
  // The monitoring groups inside a class go with it.
  if (auto done = sys::unlinkat(root->get(), name.c_str(), AT_REMOVEDIR); !done && done.err() != ENOENT)
    return done.error().while_doing("remove the resctrl group ", name);
  return Ok{};
}

}  // namespace nsbox::cgroup
