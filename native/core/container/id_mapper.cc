#include "core/container/id_mapper.h"

#include <fcntl.h>

#include <cerrno>

#include "core/process/program.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

bool is_own_id_alone(std::span<const IdMapping> mappings, uint32_t id) {
  return mappings.size() == 1 && mappings[0].size == 1 && mappings[0].host == id;
}

// The helper is set-user-ID: it is run by its place, whatever PATH says.
Status run_mapper(std::string_view name, pid_t pid, std::span<const IdMapping> mappings) {
  Vector<String> texts;
  texts.push_back(format(pid));
  for (const IdMapping& one : mappings)
    for (const uint32_t number : {one.container, one.host, one.size}) texts.push_back(format(number));
  Vector<std::string_view> args;
  args.push_back(name);
  for (const String& text : texts) args.push_back(text);
  const String path = format("/usr/bin/", name);
  auto end = run_program({.path = path, .args = args});
  if (end.err() == ENOENT)
    return Error::plain(ENOENT, path, " is not there: install the package uidmap to map a range of ids");
  if (!end) return end.error().while_doing("run ", path);
  if (end->succeeded()) return Ok{};
  return Error::plain(EPERM, name, ": ", end->error_output.view().substr(0, 500));
}

Status map(int proc, const char* file, std::string_view mapper, pid_t pid,
           std::span<const IdMapping> mappings) {
  auto done = write_file_at(proc, file, id_map_text(mappings));
  if (done || (done.err() != EPERM && done.err() != EACCES)) return done;
  return run_mapper(mapper, pid, mappings);
}

}  // namespace

Status map_ids_of(pid_t pid, std::span<const IdMapping> users, std::span<const IdMapping> groups) {
  if (users.empty() || groups.empty())
    return Error::invalid("linux: a new user namespace wants uidMappings and gidMappings");
  UniqueFd proc = TRY(sys::open(format("/proc/", pid).c_str(), O_PATH | O_DIRECTORY));
  auto done = map(proc.get(), "uid_map", "newuidmap", pid, users);
  if (!done) return done.error().while_doing("map the user ids");
  if (sys::geteuid() != 0 && is_own_id_alone(groups, sys::getegid()))
    TRY(write_file_at(proc.get(), "setgroups", "deny"));
  done = map(proc.get(), "gid_map", "newgidmap", pid, groups);
  if (!done) return done.error().while_doing("map the group ids");
  return Ok{};
}

}  // namespace nsbox
