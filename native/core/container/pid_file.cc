#include "core/container/pid_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

Status write_to(std::string_view path, const String& text) {
  auto file = sys::open(String(path).c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY);
  if (!file) return file.error();
  return write_all(file->get(), text.c_str(), text.size());
}

// Aside and renamed: whoever waits for the file never sees it empty.
Status replace(std::string_view path, const String& text) {
  const size_t slash = path.rfind('/') + 1;
  const String aside = format(path.substr(0, slash), ".", path.substr(slash));
  auto file =
      sys::open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0644);
  if (!file) return file.error();
  auto done = write_all(file->get(), text.c_str(), text.size());
  if (done) done = sys::renameat2(AT_FDCWD, aside.c_str(), AT_FDCWD, String(path).c_str(), 0);
  if (!done) (void)sys::unlinkat(AT_FDCWD, aside.c_str(), 0);
  return done;
}

bool is_type(std::string_view path, int flags, mode_t type) {
  auto there = sys::statx(AT_FDCWD, String(path).c_str(), flags, STATX_TYPE);
  return there && (there->stx_mode & S_IFMT) == type;
}

bool is_there(std::string_view path) {
  return static_cast<bool>(sys::statx(AT_FDCWD, String(path).c_str(), 0, STATX_TYPE));
}

}  // namespace

Status write_pid_file(std::string_view path, pid_t pid) {
  const String text = format(pid);
  const bool is_file = !is_there(path) || is_type(path, 0, S_IFREG);
  auto done = is_file ? replace(path, text) : write_to(path, text);
  if (!done) return done.error().while_doing("write the pid file ", path);
  return Ok{};
}

void remove_pid_file(std::string_view path) {
  if (is_type(path, AT_SYMLINK_NOFOLLOW, S_IFREG)) (void)sys::unlinkat(AT_FDCWD, String(path).c_str(), 0);
}

}  // namespace nsbox
