#include "core/cgroup/limit_writer.h"

#include <algorithm>
#include <cerrno>

#include "core/cgroup/files.h"

namespace nsbox::cgroup {

namespace {

std::string_view reason(std::string_view file, int err) {
  if (err == ENOENT) return ": this kernel has no such file";
  if (err == EBUSY && file.starts_with("memory.")) return ": the group uses more than that";
  if ((err == EINVAL || err == ERANGE) && file.starts_with("cpuset."))
    return ": not among those of the group above";
  if (err == EINVAL && file.starts_with("cpu.")) return ": out of range, or more than the group above has";
  return "";
}

}  // namespace

Result<const Hierarchy*> hierarchy_for(const GroupSet& set, Controller controller, std::string_view limit) {
  if (const Hierarchy* found = set.find(controller)) return found;
  return Error::plain(kNoController, "set ", limit, ": the cgroup controller ", name_of(controller),
                      " is not available to this group");
}

Error limit_error(std::string_view limit, std::string_view file, std::string_view value, const Error& error) {
  // kNoController is for controllers alone.
  const int err = error.err() == kNoController ? EINVAL : error.err();
  return Error::plain(err,
                      Error(error.err()).while_doing("set ", limit, " to ", value, " (", file, ")").message(),
                      reason(file, err));
}

Status set_limit(const Hierarchy& group, std::string_view limit, const char* file, std::string_view value) {
  auto done = write_value(group.dir.get(), file, value);
  if (!done) return limit_error(limit, file, value, done.error());
  return done;
}

Status set_first_limit(const Hierarchy& group, std::string_view limit,
                       std::initializer_list<const char*> files, std::string_view value) {
  for (const char* file : files) {
    auto done = write_value(group.dir.get(), file, value);
    if (done) return done;
    if (done.err() != ENOENT) return limit_error(limit, file, value, done.error());
  }
  return limit_error(limit, *files.begin(), value, Error(ENOENT));
}

String number_or_max(int64_t value) { return value < 0 ? String("max") : format(value); }

Error not_in_v2(std::string_view limit) {
  return Error::invalid("set ", limit, ": cgroup v2 has no such limit");
}

Status check_word(std::string_view limit, std::string_view word) {
  const bool fine =
      !word.empty() && std::all_of(word.begin(), word.end(), [](char c) { return c > ' ' && c != 127; });
  if (fine) return Ok{};
  return Error::invalid("set ", limit, ": not a name: \"", word, "\"");
}

}  // namespace nsbox::cgroup
