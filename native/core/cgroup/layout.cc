#include "core/cgroup/layout.h"

#include <fcntl.h>

#include "core/base/text.h"
#include "core/sys/file.h"

namespace nsbox::cgroup {

namespace {

// A hostile number of mounts is not our problem to solve; a large one (thousands of containers) must still be
// read.
constexpr size_t kMountinfoLimit = size_t{64} << 20;

// What the v2 hierarchy can never have.
constexpr Controllers kV1Only = {Controller::kNetCls, Controller::kNetPrio};

// mountinfo writes blank, tab, newline and backslash as three octal digits.
String unescape(std::string_view text) {
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  String out;
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] == '\\' && i + 3 < text.size() && octal(text[i + 1]) && octal(text[i + 2]) &&
        octal(text[i + 3])) {
      out.append(static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0')));
      i += 3;
    } else {
      out.append(text[i]);
    }
  }
  return out;
}

bool has_word(std::string_view list, std::string_view word) {
  while (!list.empty())
    if (cut(list, ',') == word) return true;
  return false;
}

// A v1 hierarchy's mount options, or its field in /proc/self/cgroup: "rw,cpu,cpuacct" or "rw,name=systemd".
void read_controllers(std::string_view options, HierarchyLayout& out) {
  constexpr std::string_view kName = "name=";
  while (!options.empty()) {
    const std::string_view word = cut(options, ',');
    if (word.starts_with(kName))
      out.name = String(word.substr(kName.size()));
    else if (const auto known = controller_named(word); known && known != Controller::kUnified)
      out.controllers.add(*known);
  }
}

// One line: 36 35 0:31 /root /mount/point rw,noatime shared:1 - cgroup cgroup rw,cpu,cpuacct
std::optional<HierarchyLayout> read_mount(std::string_view line) {
  const size_t dash = line.find(" - ");
  if (dash == std::string_view::npos) return std::nullopt;
  std::string_view behind = line.substr(dash + 3);
  const std::string_view type = cut(behind, ' ');
  if (type != "cgroup" && type != "cgroup2") return std::nullopt;
  (void)cut(behind, ' ');  // The source: any text.

  HierarchyLayout out;
  for (int skipped = 0; skipped < 3; skipped++) (void)cut(line, ' ');
  out.mount_root = unescape(cut(line, ' '));
  out.mount_point = unescape(cut(line, ' '));
  const bool read_only = has_word(cut(line, ' '), "ro") || has_word(behind, "ro");
  out.access = read_only ? Access::kReadOnly : Access::kReadWrite;
  if (type == "cgroup2") {
    out.version = Version::kV2;
    out.controllers.add(Controller::kUnified);
  } else {
    read_controllers(behind, out);
  }
  if (!out.mount_point.view().starts_with('/') || (out.controllers.empty() && out.name.empty()))
    return std::nullopt;
  return out;
}

bool same_hierarchy(const HierarchyLayout& a, const HierarchyLayout& b) {
  return a.version == b.version && a.controllers == b.controllers && a.name.view() == b.name.view();
}

// Where `own` is below a mount that shows `root`. Nothing when it is not, or when that cannot be told: in a
// cgroup namespace, what lies outside of it is only called "..".
std::optional<std::string_view> below(std::string_view own, std::string_view root) {
  const auto outside = [](std::string_view path) { return path == "/.." || path.starts_with("/../"); };
  if (outside(own) || outside(root) || own.ends_with(" (deleted)")) return std::nullopt;
  if (root == "/") root = "";
  if (!own.starts_with(root)) return std::nullopt;
  own.remove_prefix(root.size());
  if (own.empty()) return own;
  if (own[0] != '/') return std::nullopt;
  return own.substr(1);
}

void place(HierarchyLayout& hierarchy, std::string_view own_groups) {
  while (!own_groups.empty()) {
    std::string_view line = cut(own_groups, '\n');
    const std::string_view id = cut(line, ':');
    HierarchyLayout named;
    read_controllers(cut(line, ':'), named);
    if (id == "0" && named.controllers.empty() && named.name.empty()) {
      named.version = Version::kV2;
      named.controllers.add(Controller::kUnified);
    }
    if (!line.starts_with('/') || !same_hierarchy(hierarchy, named)) continue;
    hierarchy.own_group = String(line);
    const auto path = below(line, hierarchy.mount_root);
    hierarchy.shows_own = path.has_value();
    hierarchy.own_path = String(path.value_or(std::string_view()));
    return;
  }
  hierarchy.shows_own = false;
}

// The same hierarchy may be mounted several times: the better mount shows our own group, and can be written.
int worth(const HierarchyLayout& mount) {
  return (mount.shows_own ? 4 : 0) + (mount.access == Access::kReadWrite ? 2 : 0) +
         (mount.mount_point.view().starts_with("/sys/fs/cgroup") ? 1 : 0);
}

struct Found {
  Vector<HierarchyLayout> mounts;
  Vector<std::string_view> lines;  // Of each of them.
};

void keep_better(Found& all, HierarchyLayout mount, std::string_view line) {
  for (size_t i = 0; i < all.mounts.size(); i++) {
    if (!same_hierarchy(all.mounts[i], mount)) continue;
    if (worth(mount) > worth(all.mounts[i])) {
      all.mounts[i] = std::move(mount);
      all.lines[i] = line;
    }
    return;
  }
  all.mounts.push_back(std::move(mount));
  all.lines.push_back(line);
}

}  // namespace

const HierarchyLayout* Layout::find(Controller controller) const {
  for (const HierarchyLayout& each : hierarchies)
    if (each.controllers.has(controller)) return &each;
  return nullptr;
}

Layout parse_layout(std::string_view mountinfo, std::string_view own_groups, String* lines) {
  Found found;
  while (!mountinfo.empty()) {
    const std::string_view line = cut(mountinfo, '\n');
    auto mount = read_mount(line);
    if (!mount) continue;
    place(*mount, own_groups);
    keep_better(found, std::move(*mount), line);
  }
  if (lines)
    for (const std::string_view line : found.lines) append(*lines, line, "\n");
  Layout layout;
  layout.hierarchies = std::move(found.mounts);
  Controllers taken = kV1Only;
  for (const HierarchyLayout& each : layout.hierarchies)
    if (each.version == Version::kV1) taken = taken | each.controllers;
  for (HierarchyLayout& each : layout.hierarchies)
    if (each.version == Version::kV2) each.controllers = Controllers::all() - taken;
  return layout;
}

Result<Layout> read_layout() {
  const String mounts = TRY(read_file_at(AT_FDCWD, "/proc/self/mountinfo", kMountinfoLimit));
  const String groups = TRY(read_file_at(AT_FDCWD, "/proc/self/cgroup"));
  return parse_layout(mounts, groups);
}

}  // namespace nsbox::cgroup
