#include "core/security/user.h"

#include <algorithm>

#include "core/base/text.h"

namespace nsbox {

namespace {

// Where a file goes on and on, its end is ignored: no real one has as many lines.
constexpr size_t kMaxLines = size_t{1} << 16;

// Calls `visit` with each line until it answers true.
template <typename Visit>
void find_line(std::string_view text, const Visit& visit) {
  for (size_t i = 0; i < kMaxLines && !text.empty(); i++)
    if (visit(cut(text, '\n'))) return;
}

std::optional<PasswdEntry> parse_passwd(std::string_view line) {
  PasswdEntry entry;
  entry.name = cut(line, ':');
  (void)cut(line, ':');  // The password's place.
  const auto uid = parse_id(cut(line, ':'));
  const auto gid = parse_id(cut(line, ':'));
  if (entry.name.empty() || !uid || !gid) return std::nullopt;
  entry.uid = *uid;
  entry.gid = *gid;
  (void)cut(line, ':');  // The person's name.
  entry.home = cut(line, ':');
  entry.shell = line;
  return entry;
}

std::optional<GroupEntry> parse_group(std::string_view line) {
  GroupEntry entry;
  entry.name = cut(line, ':');
  (void)cut(line, ':');
  const auto gid = parse_id(cut(line, ':'));
  if (entry.name.empty() || !gid) return std::nullopt;
  entry.gid = *gid;
  entry.members = line;
  return entry;
}

template <typename Entry, typename Parse, typename Wanted>
std::optional<Entry> find_entry(std::string_view text, const Parse& parse, const Wanted& wanted) {
  std::optional<Entry> found;
  find_line(text, [&](std::string_view line) {
    const auto entry = parse(line);
    if (!entry || !wanted(*entry)) return false;
    found = entry;
    return true;
  });
  return found;
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool lists(std::string_view members, std::string_view name) {
  while (!members.empty())
    if (trim(cut(members, ',')) == name) return true;
  return false;
}

void add_once(Vector<uint32_t>& ids, uint32_t id) {
  if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
}

// Digits alone are an id, in range or not: a name that looks like one must never be meant by it.
Result<uint32_t> group_id(std::string_view text, std::string_view group_file) {
  if (all_digits(text)) {
    const auto id = parse_id(text);
    if (!id) return Error::invalid("group ", text, ": an id is from 0 to 4294967294");
    return *id;
  }
  const auto entry = find_group_by_name(group_file, text);
  if (!entry) return Error::invalid("no group ", text, " in the container's /etc/group");
  return entry->gid;
}

Result<ResolvedUser> find_user(std::string_view text, std::string_view passwd_file) {
  std::optional<PasswdEntry> entry;
  ResolvedUser user;
  if (all_digits(text)) {
    const auto id = parse_id(text);
    if (!id) return Error::invalid("user ", text, ": an id is from 0 to 4294967294");
    user.uid = *id;
    entry = find_user_by_id(passwd_file, *id);
  } else {
    entry = find_user_by_name(passwd_file, text);
    if (!entry) return Error::invalid("no user ", text, " in the container's /etc/passwd");
    user.uid = entry->uid;
  }
  if (!entry) return user;
  user.gid = entry->gid;
  user.name = entry->name;
  if (!entry->home.empty()) user.home = entry->home;
  user.shell = entry->shell;
  return user;
}

}  // namespace

std::optional<PasswdEntry> find_user_by_name(std::string_view passwd, std::string_view name) {
  return find_entry<PasswdEntry>(passwd, parse_passwd,
                                 [&](const PasswdEntry& entry) { return entry.name == name; });
}

std::optional<PasswdEntry> find_user_by_id(std::string_view passwd, uint32_t uid) {
  return find_entry<PasswdEntry>(passwd, parse_passwd,
                                 [&](const PasswdEntry& entry) { return entry.uid == uid; });
}

std::optional<GroupEntry> find_group_by_name(std::string_view group, std::string_view name) {
  return find_entry<GroupEntry>(group, parse_group,
                                [&](const GroupEntry& entry) { return entry.name == name; });
}

Vector<uint32_t> groups_of(std::string_view group, std::string_view user_name) {
  Vector<uint32_t> ids;
  if (user_name.empty()) return ids;
  find_line(group, [&](std::string_view line) {
    const auto entry = parse_group(line);
    if (entry && lists(entry->members, user_name)) add_once(ids, entry->gid);
    return ids.size() >= kMaxGroups;
  });
  return ids;
}

Result<ResolvedUser> resolve_user(std::string_view specification, std::string_view passwd,
                                  std::string_view group, const Vector<std::string_view>& additional) {
  const size_t colon = specification.find(':');
  const std::string_view user_text = specification.substr(0, colon);
  // Of "0", the user that an empty text means, only the entry is of interest.
  ResolvedUser user = TRY(find_user(user_text.empty() ? std::string_view("0") : user_text, passwd));
  if (colon == std::string_view::npos)
    user.groups = groups_of(group, user.name);
  else if (const auto group_text = specification.substr(colon + 1); !group_text.empty())
    user.gid = TRY(group_id(group_text, group));
  for (const std::string_view text : additional) add_once(user.groups, TRY(group_id(text, group)));
  if (user.groups.size() > kMaxGroups) return Error::invalid("user ", specification, " has too many groups");
  return user;
}

}  // namespace nsbox
