#include "core/sys/beneath.h"

#include <linux/openat2.h>

#include <cerrno>

#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr uint64_t kResolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;

Result<UniqueFd> open_resolved(int root, std::string_view path, int flags, unsigned mode) {
  if (path.find('\0') != std::string_view::npos) return Error(EINVAL);
  const String name(path.empty() ? std::string_view("/") : path);
  // openat2 refuses a mode where nothing can be made.
  const bool makes = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
  return sys::openat2(root, name.c_str(), static_cast<uint64_t>(flags), makes ? mode : 0, kResolve);
}

// Ends each prefix of the path at its component's end: "/a/b" gives "/a", "/a/b".
template <typename Each>
Status each_prefix(std::string_view path, Each each) {
  for (size_t at = 0; at < path.size();) {
    const size_t start = path.find_first_not_of('/', at);
    if (start == std::string_view::npos) return Ok{};
    size_t end = path.find('/', start);
    if (end == std::string_view::npos) end = path.size();
    TRY(each(path.substr(0, end), path.substr(start, end - start)));
    at = end;
  }
  return Ok{};
}

Result<UniqueFd> make_last_directory(int root, std::string_view path, unsigned mode) {
  ParentAndName place = TRY(open_parent_in_root(root, path));
  TRY(sys::mkdirat(place.parent.get(), place.name.c_str(), mode));
  return sys::openat(place.parent.get(), place.name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

}  // namespace

Result<UniqueFd> open_in_root(int root, std::string_view path, int flags, unsigned mode) {
  return open_resolved(root, path, flags, mode);
}

Result<UniqueFd> open_in_root_nofollow(int root, std::string_view path, int flags, unsigned mode) {
  return open_resolved(root, path, flags | O_NOFOLLOW, mode);
}

Result<UniqueFd> make_directories_in_root(int root, std::string_view path, unsigned mode) {
  auto there = open_resolved(root, path, O_PATH | O_DIRECTORY, 0);
  if (there || there.err() != ENOENT) return there;
  return make_absent_directories_in_root(root, path, mode);
}

Result<UniqueFd> make_absent_directories_in_root(int root, std::string_view path, unsigned mode) {
  // Most often all is there but the last.
  if (auto made = make_last_directory(root, path, mode)) return made;
  UniqueFd parent = TRY(open_resolved(root, "/", O_PATH | O_DIRECTORY, 0));
  TRY(each_prefix(path, [&](std::string_view prefix, std::string_view component) -> Status {
    auto next = open_resolved(root, prefix, O_PATH | O_DIRECTORY, 0);
    if (next.err() == ENOENT && component != "..") {
      auto made = sys::mkdirat(parent.get(), String(component).c_str(), mode);
      if (!made && made.err() != EEXIST) return made.error();
      next = open_resolved(root, prefix, O_PATH | O_DIRECTORY, 0);
    }
    if (!next) return next.error();
    parent = std::move(*next);
    return Ok{};
  }));
  return parent;
}

Result<UniqueFd> make_file_in_root(int root, std::string_view path, unsigned mode) {
  auto there = open_resolved(root, path, O_PATH, 0);
  if (there || there.err() != ENOENT) return there;
  const size_t slash = path.find_last_of('/');
  if (slash != std::string_view::npos) TRY(make_directories_in_root(root, path.substr(0, slash), 0755));
  TRY(open_resolved(root, path, O_CREAT | O_WRONLY | O_EXCL | O_NOFOLLOW, mode));
  return open_resolved(root, path, O_PATH, 0);
}

Result<ParentAndName> open_parent_in_root(int root, std::string_view path) {
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  const size_t slash = path.find_last_of('/');
  const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  const std::string_view directory = slash == std::string_view::npos ? "/" : path.substr(0, slash + 1);
  if (name.empty() || name == "." || name == ".." || name.find('\0') != std::string_view::npos)
    return Error(EINVAL);
  UniqueFd parent = TRY(open_resolved(root, directory, O_PATH | O_DIRECTORY, 0));
  return ParentAndName{std::move(parent), String(name)};
}

}  // namespace nsbox
