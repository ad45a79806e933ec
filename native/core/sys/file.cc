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
  if (!done) return done.error().while_doing("write ", text.substr(0, 200), " to ", path);
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

namespace {

// Removes what is below one directory, holding few descriptors whatever the depth: what lies deeper is moved
// up.
class TreeRemover {
 public:
  explicit TreeRemover(int top) : top_(top) {}

  Status empty() {
    do {
      moved_ = 0;
      TRY(sys::lseek(top_, 0, 0 /* SEEK_SET */));
      TRY(empty_directory(top_, 0));
    } while (moved_);
    return Ok{};
  }

  static Result<UniqueFd> open_to_empty(int dir, const char* name) {
    auto inside = sys::openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (inside.err() != EACCES) return inside;
    UniqueFd closed = TRY(sys::openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW));
    (void)sys::fchmodat(AT_FDCWD, format("/proc/self/fd/", closed.get()).c_str(), 0700);
    return sys::openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  }

 private:
  static constexpr int kMaxOpen = 32;

  Status empty_directory(int dir, int depth) {
    for (const DirectoryEntry& entry : TRY(read_directory(dir))) {
      const char* name = entry.name.c_str();
      auto done = remove(dir, name, depth);
      // A directory that its owner made read-only: it is ours to empty all the same.
      if (done.err() == EACCES && sys::fchmod(dir, 0700)) done = remove(dir, name, depth);
      if (!done) return done.error().while_doing("remove ", name);
    }
    return Ok{};
  }

  Status remove(int dir, const char* name, int depth) {
    auto gone = sys::unlinkat(dir, name, 0);
    if (gone || gone.err() == ENOENT) return Ok{};
    if (gone.err() != EISDIR) return gone;
    if (depth == kMaxOpen) return move_up(dir, name);
    UniqueFd inside = TRY(open_to_empty(dir, name));
    TRY(empty_directory(inside.get(), depth + 1));
    auto removed = sys::unlinkat(dir, name, AT_REMOVEDIR);
    if (removed.err() == ENOENT) return Ok{};
    return removed;
  }

  Status move_up(int dir, const char* name) {
    TRY(open_to_empty(dir, name));  // Its mode must let its ".." be changed.
    for (;; number_++) {
      auto moved =
          sys::renameat2(dir, name, top_, format(".nsbox-remove-", number_).c_str(), 1 /* NOREPLACE */);
      if (moved.err() == EEXIST) continue;
      if (moved) moved_++;
      return moved;
    }
  }

  int top_;
  unsigned number_ = 0;
  unsigned moved_ = 0;
};

}  // namespace

Status remove_tree_at(int dir, const char* name) {
  auto gone = sys::unlinkat(dir, name, 0);
  if (gone || gone.err() == ENOENT) return Ok{};
  if (gone.err() != EISDIR) return gone.error().while_doing("remove ", name);
  auto top = TreeRemover::open_to_empty(dir, name);
  if (!top) return top.error().while_doing("open ", name);
  if (auto done = TreeRemover(top->get()).empty(); !done) return done.error().while_doing("remove ", name);
  auto removed = sys::unlinkat(dir, name, AT_REMOVEDIR);
  if (!removed && removed.err() != ENOENT) return removed.error().while_doing("remove ", name);
  return Ok{};
}

}  // namespace nsbox
