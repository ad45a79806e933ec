#include "core/sys/file.h"

#include <dirent.h>
#include <cerrno>
#include <cstring>

#include "core/base/text.h"
#include "core/sys/syscalls.h"

namespace nsbox {

Result<String> read_all(int fd, size_t limit) {
  String out;
  char buffer[4096];
  for (;;) {
    auto got = sys::read(fd, buffer, sizeof buffer);
    if (got.err() == EINTR) continue;
    if (!got) return got.error();
    if (*got == 0) return out;
    if (out.size() + *got > limit) return Error(EFBIG);
    out.append(std::string_view(buffer, *got));
  }
}

Result<String> read_file_at(int dir, const char* path, size_t limit) {
  auto fd = sys::openat(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!fd) return fd.error().while_doing("open ", path);
  auto text = read_all(fd->get(), limit);
  if (!text) return text.error().while_doing("read ", path);
  return text;
}

Status write_file_at(int dir, const char* path, std::string_view text) {
  auto fd = sys::openat(dir, path, O_WRONLY);
  if (!fd) return fd.error().while_doing("open ", path);
  auto done = sys::write(fd->get(), text.data(), text.size());
  if (!done) return done.error().while_doing("write ", text, " to ", path);
  if (*done != text.size()) return Error(EIO, format("write ", path, ": cut short"));
  return Ok{};
}

Status write_all(int fd, const void* data, size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size) {
    auto done = sys::write(fd, at, size);
    if (done.err() == EINTR) continue;
    if (!done) return done.error();
    at += *done;
    size -= *done;
  }
  return Ok{};
}

Status make_directories_at(int dir, std::string_view path, unsigned mode) {
  for (size_t end = 1; end <= path.size(); end++) {
    if (end != path.size() && path[end] != '/') continue;
    const String part(path.substr(0, end));
    auto made = sys::mkdirat(dir, part.c_str(), mode);
    if (!made && made.err() != EEXIST) return made.error().while_doing("make directory ", part);
  }
  return Ok{};
}

Result<Vector<DirectoryEntry>> read_directory(int dir) {
  Vector<DirectoryEntry> entries;
  alignas(8) char buffer[8192];
  for (;;) {
    const size_t got = TRY(sys::getdents64(dir, buffer, sizeof buffer));
    if (!got) return entries;
    for (size_t at = 0; at < got;) {
      // struct linux_dirent64: ino 8, off 8, reclen 2, type 1, name.
      uint16_t length;
      memcpy(&length, buffer + at + 16, sizeof length);
      const std::string_view name(buffer + at + 19);
      if (name != "." && name != "..")
        entries.push_back({String(name), static_cast<unsigned char>(buffer[at + 18])});
      at += length;
    }
  }
}

Status remove_tree_at(int dir, const char* name) {
  auto gone = sys::unlinkat(dir, name, 0);
  if (gone || gone.err() == ENOENT) return Ok{};
  if (gone.err() != EISDIR && gone.err() != EPERM) return gone.error().while_doing("remove ", name);
  auto inside = sys::openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (inside.err() == EACCES) {
    // A directory that its owner made unreadable: it is ours to remove all the same.
    (void)sys::fchmodat(dir, name, 0700);
    inside = sys::openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  }
  if (!inside) return inside.error().while_doing("open ", name);
  for (const DirectoryEntry& entry : TRY(read_directory(inside->get())))
    TRY(remove_tree_at(inside->get(), entry.name.c_str()));
  auto removed = sys::unlinkat(dir, name, AT_REMOVEDIR);
  if (!removed && removed.err() != ENOENT) return removed.error().while_doing("remove ", name);
  return Ok{};
}

}  // namespace nsbox
