#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/error.h"
#include "core/base/vector.h"

// Who a container's process is, from the texts of its /etc/passwd and /etc/group. No file is opened here: the
// caller reads them beneath the container's root, or hands in empty texts. Lines that make no sense are
// passed over.
namespace nsbox {

// NGROUPS_MAX of the kernel.
inline constexpr size_t kMaxGroups = 65536;

struct PasswdEntry {
  std::string_view name;
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::string_view home;
  std::string_view shell;
};
std::optional<PasswdEntry> find_user_by_name(std::string_view passwd, std::string_view name);
std::optional<PasswdEntry> find_user_by_id(std::string_view passwd, uint32_t uid);

struct GroupEntry {
  std::string_view name;
  uint32_t gid = 0;
  std::string_view members;  // As in the file, between commas.
};
std::optional<GroupEntry> find_group_by_name(std::string_view group, std::string_view name);
// The groups that list the user as a member, in the file's order, each once.
Vector<uint32_t> groups_of(std::string_view group, std::string_view user_name);

struct ResolvedUser {
  uint32_t uid = 0;
  uint32_t gid = 0;
  Vector<uint32_t> groups;  // Supplementary; without a group in the specification, from the group file.
  std::string_view name;    // Views into the passwd text; empty where the id has no entry there.
  std::string_view home = "/";
  std::string_view shell;
};

// "user[:group]", each a name or an id. A text of digits alone is an id, never a name, and an id needs no
// entry. An empty text is root. `additional` are further groups, names or ids.
Result<ResolvedUser> resolve_user(std::string_view specification, std::string_view passwd,
                                  std::string_view group, const Vector<std::string_view>& additional = {});

}  // namespace nsbox
