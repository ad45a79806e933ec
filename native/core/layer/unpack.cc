#include "core/layer/unpack.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "core/layer/attributes.h"
#include "core/layer/changes.h"
#include "core/layer/layer_name.h"
#include "core/layer/printable.h"
#include "core/layer/tar.h"
#include "core/sys/beneath.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr uint32_t kImpliedMode = 0755;
constexpr mode_t kClosed = 0700;  // Until the end, whatever it will be: its files must still get in.
constexpr uint64_t kWhiteoutDevice = 0;

uint64_t device_number(uint32_t major, uint32_t minor) {
  return (minor & 0xFF) | uint64_t{major} << 8 | uint64_t{minor & ~0xFFU} << 12;
}

bool marks_deletion(const struct statx& info) {
  return is_whiteout(info.stx_mode, info.stx_rdev_major, info.stx_rdev_minor);
}

Status write_at(int fd, Bytes bytes, uint64_t offset) {
  while (!bytes.empty()) {
    auto done = sys::pwrite(fd, bytes.data(), bytes.size(), offset);
    if (done.err() == EINTR) continue;
    if (!done) return done.error();
    offset += *done;
    bytes = bytes.subspan(*done);
  }
  return Ok{};
}

class Unpacker {
 public:
  Unpacker(ByteSource& source, int root, const UnpackOptions& options)
      : tar_(source, options.limits), root_(root), as_(options.as) {}

  Result<Unpacked> unpack() {
    while (const TarEntry* entry = TRY(tar_.next())) {
      if (auto done = add(*entry); !done) return done.error().while_doing("unpack ", printable(entry->name));
      out_.entries++;
      out_.size += entry->size;
    }
    TRY(tar_.drain());
    TRY(finish_directories());
    return std::move(out_);
  }

 private:
  // What a directory shall be in the end.
  struct Directory {
    String path;
    size_t order = 0;
    size_t depth = 0;
    uint64_t inode = 0;
    uint32_t mode = kImpliedMode;
    bool has_time = false;
    TarTime modified;
  };

  Status add(const TarEntry& entry) {
    const LayerName place = TRY(parse_layer_name(entry.name));
    if (place.kind == NameKind::kIgnored) return Ok{};
    if (place.kind == NameKind::kRoot) return add_root(entry);
    const int parent = TRY(parent_of(place.directory));
    if (place.kind == NameKind::kOpaque) return hide_below(parent);
    if (place.kind == NameKind::kWhiteout) return add_whiteout(parent, place.name.c_str());
    return add_entry(entry, parent, place);
  }

  Status add_entry(const TarEntry& entry, int parent, const LayerName& place) {
    const char* name = place.name.c_str();
    switch (entry.type) {
      case TarType::kFile:
        return add_file(entry, parent, name);
      case TarType::kDirectory:
        return add_directory(entry, parent, place);
      case TarType::kHardLink:
        return add_hard_link(entry, parent, name);
      case TarType::kSymlink:
        return add_symlink(entry, parent, name);
      case TarType::kFifo:
        return add_special(entry, parent, name, S_IFIFO);
      case TarType::kCharacter:
        return add_device(entry, parent, name, S_IFCHR);
      case TarType::kBlock:
        break;
    }
    return add_device(entry, parent, name, S_IFBLK);
  }

  // Makes an entry where there may be another, which goes: the last of a name stays.
  template <typename Make>
  auto make_anew(int parent, const char* name, Make make) -> decltype(make()) {
    auto made = make();
    if (made.err() != EEXIST) return made;
    TRY(remove_tree_at(parent, name));
    forget_parent();
    return make();
  }

  Status add_file(const TarEntry& entry, int parent, const char* name) {
    UniqueFd fd = TRY(make_anew(parent, name, [&] {
      return sys::openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    }));
    uint64_t end = 0;
    for (;;) {
      const TarPiece piece = TRY(tar_.data());
      if (piece.bytes.empty()) break;
      TRY(write_at(fd.get(), piece.bytes, piece.offset));
      end = piece.offset + piece.bytes.size();
    }
    if (end < entry.size) TRY(sys::ftruncate(fd.get(), entry.size));
    return set_file_attributes(fd.get(), entry, as_);
  }

  Status add_root(const TarEntry& entry) {
    if (entry.type != TarType::kDirectory) return Error::invalid("the root must be a directory");
    UniqueFd fd = TRY(sys::openat(root_, ".", O_RDONLY | O_DIRECTORY));
    TRY(set_owner_and_xattrs(fd.get(), entry, as_));
    return remember(fd.get(), "", entry.mode, &entry.modified);
  }

  Status add_directory(const TarEntry& entry, int parent, const LayerName& place) {
    UniqueFd fd = TRY(make_directory(parent, place.name.c_str(), Occupied::kReplace));
    TRY(set_owner_and_xattrs(fd.get(), entry, as_));
    const String path = format(place.directory, place.directory.empty() ? "" : "/", place.name);
    return remember(fd.get(), path, entry.mode, &entry.modified);
  }

  // Whether something else in a directory's place goes for it, or stops the layer.
  enum class Occupied : uint8_t { kReplace, kRefuse };

  // One that is there already stays as it is. One that comes in the place of a whiteout hides, as that did,
  // the directory of the layers below.
  Result<UniqueFd> make_directory(int parent, const char* name, Occupied occupied) {
    bool hides = false;
    auto made = sys::mkdirat(parent, name, kClosed);
    if (made.err() == EEXIST) {
      const auto info = TRY(sys::statx(parent, name, AT_SYMLINK_NOFOLLOW, STATX_TYPE));
      if (S_ISDIR(info.stx_mode)) return sys::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      hides = marks_deletion(info);
      if (!hides && occupied == Occupied::kRefuse) return Error(ENOTDIR);
      TRY(sys::unlinkat(parent, name, 0));
      forget_parent();
      made = sys::mkdirat(parent, name, kClosed);
    }
    if (!made) return made.error();
    UniqueFd fd = TRY(sys::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    if (hides) TRY(mark_opaque(fd.get(), as_));
    return fd;
  }

  // Only to a file of this layer: a link to one below would need a copy of it, and tells of a damaged layer.
  Status add_hard_link(const TarEntry& entry, int parent, const char* name) {
    const LayerName target = TRY(parse_target(entry.link));
    const String path = format(target.directory, '/', target.name);
    auto place = open_parent_in_root(root_, path);
    if (!place) return place.error().while_doing("link to ", printable(entry.link));
    const int from = place->parent.get();
    const char* from_name = place->name.c_str();
    auto info = sys::statx(from, from_name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS);
    if (!info || marks_deletion(*info))
      return Error::invalid("a hard link to ", printable(entry.link), ", which the layer does not have");
    return link(from, from_name, parent, name, entry.link);
  }

  Status link(int from, const char* from_name, int parent, const char* name, std::string_view target) {
    const auto source = TRY(sys::statx(from, from_name, AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_TYPE));
    if (S_ISDIR(source.stx_mode)) return Error::invalid("a hard link to the directory ", printable(target));
    auto there = sys::statx(parent, name, AT_SYMLINK_NOFOLLOW, STATX_INO);
    if (there && there->stx_ino == source.stx_ino) return Ok{};
    // Removing what is in the link's place may take the target along, and then the link has none.
    auto made = make_anew(parent, name, [&] { return sys::linkat(from, from_name, parent, name, 0); });
    if (!made) return made.error().while_doing("link to ", printable(target));
    return Ok{};
  }

  static Result<LayerName> parse_target(std::string_view link) {
    // Some archivers write the root's slash into the link, where they leave it out of the name.
    while (link.starts_with('/')) link.remove_prefix(1);
    auto target = parse_layer_name(link);
    if (target && target->kind == NameKind::kEntry) return target;
    return Error::invalid("a hard link to ", printable(link), ", which is no place in a layer");
  }

  Status add_symlink(const TarEntry& entry, int parent, const char* name) {
    TRY(make_anew(parent, name, [&] { return sys::symlinkat(entry.link.c_str(), parent, name); }));
    forget_parent();
    return set_special_attributes(parent, name, entry, as_);
  }

  Status add_special(const TarEntry& entry, int parent, const char* name, mode_t type, uint64_t device = 0) {
    TRY(make_anew(parent, name, [&] { return sys::mknodat(parent, name, type | 0600, device); }));
    return set_special_attributes(parent, name, entry, as_);
  }

  Status add_device(const TarEntry& entry, int parent, const char* name, mode_t type) {
    // To overlay this is a whiteout, and what is deleted the layer says by ".wh.".
    if (is_whiteout(type, entry.device_major, entry.device_minor))
      return Error::invalid("the device 0:0 is no device");
    const uint64_t device = device_number(entry.device_major, entry.device_minor);
    auto made =
        as_ == UnpackAs::kUser ? Status(Error(EPERM)) : add_special(entry, parent, name, type, device);
    if (made.err() != EPERM) return made;
    out_.skipped++;
    return Ok{};
  }

  // Deletes what is below, never what the layer itself has: a directory of its own stays and hides.
  Status add_whiteout(int parent, const char* name) {
    auto made = sys::mknodat(parent, name, S_IFCHR, kWhiteoutDevice);
    if (made.err() != EEXIST) return made;
    auto own = sys::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (own.err() == ENOTDIR || own.err() == ELOOP) return Ok{};
    if (!own) return own.error();
    return mark_opaque(own->get(), as_);
  }

  Status hide_below(int directory) {
    UniqueFd fd = TRY(sys::openat(directory, ".", O_RDONLY | O_DIRECTORY));
    return mark_opaque(fd.get(), as_);
  }

  // Entries come directory by directory: the last one stays open.
  Result<int> parent_of(std::string_view directory) {
    if (directory.empty()) return root_;
    if (parent_ && parent_path_.view() == directory) return parent_.get();
    auto found = open_in_root(root_, directory, O_PATH | O_DIRECTORY);
    if (found.err() == ENOENT || found.err() == ENOTDIR) found = make_parents(directory);
    if (!found) return found.error();
    parent_ = std::move(*found);
    parent_path_ = String(directory);
    return parent_.get();
  }
  void forget_parent() { parent_path_ = String(); }

  Result<UniqueFd> make_parents(std::string_view directory) {
    for (size_t end = directory.find('/');; end = directory.find('/', end + 1)) {
      const std::string_view prefix = directory.substr(0, end);
      auto found = open_in_root(root_, prefix, O_PATH | O_DIRECTORY);
      if (found.err() == ENOENT || found.err() == ENOTDIR) found = make_parent(prefix);
      if (!found || end == std::string_view::npos) return found;
    }
  }

  Result<UniqueFd> make_parent(std::string_view path) {
    ParentAndName place = TRY(open_parent_in_root(root_, path));
    auto made = make_directory(place.parent.get(), place.name.c_str(), Occupied::kRefuse);
    if (!made) return made.error().while_doing("make directory ", printable(path));
    if (out_.implied.size() == kMaxImplied)
      return Error::invalid("the layer leaves out more than ", kMaxImplied, " directories");
    out_.implied.push_back(String(path));
    TRY(remember(made->get(), path, kImpliedMode, nullptr));
    return made;
  }

  Status remember(int fd, std::string_view path, uint32_t mode, const TarTime* time) {
    const auto info = TRY(sys::statx(fd, "", AT_EMPTY_PATH, STATX_INO));
    const size_t depth =
        path.empty() ? 0 : 1 + static_cast<size_t>(std::count(path.begin(), path.end(), '/'));
    directories_.push_back({String(path), directories_.size(), depth, info.stx_ino, mode, time != nullptr,
                            time ? *time : TarTime{}});
    return Ok{};
  }

  // The deepest first: what is in a directory changes its times, and a closed one lets nobody in.
  Status finish_directories() {
    std::sort(directories_.begin(), directories_.end(), [](const Directory& a, const Directory& b) {
      return a.depth != b.depth ? a.depth > b.depth : a.order < b.order;
    });
    for (const Directory& one : directories_)
      if (auto done = finish(one); !done) return done.error().while_doing("unpack ", printable(one.path));
    return Ok{};
  }

  Status finish(const Directory& directory) {
    auto fd = open_in_root_nofollow(root_, directory.path, O_PATH | O_DIRECTORY);
    // A later entry has taken its place.
    if (fd.err() == ENOENT || fd.err() == ENOTDIR || fd.err() == ELOOP) return Ok{};
    if (!fd) return fd.error();
    const auto info = TRY(sys::statx(fd->get(), "", AT_EMPTY_PATH, STATX_INO));
    if (info.stx_ino != directory.inode) return Ok{};
    const String path = format("/proc/self/fd/", fd->get());
    TRY(sys::fchmodat(AT_FDCWD, path.c_str(), directory.mode));
    if (!directory.has_time) return Ok{};
    return sys::utimensat(AT_FDCWD, path.c_str(), times_of(directory.modified), 0);
  }

  TarReader tar_;
  int root_;
  UnpackAs as_;
  UniqueFd parent_;
  String parent_path_;
  Vector<Directory> directories_;
  Unpacked out_;
};

}  // namespace

Result<Unpacked> unpack_layer(ByteSource& source, int root, const UnpackOptions& options) {
  return Unpacker(source, root, options).unpack();
}

}  // namespace nsbox
