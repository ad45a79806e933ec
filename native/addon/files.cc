#include <fcntl.h>
#include <napi.h>

#include <cerrno>
#include <string>

#include "addon/convert.h"
#include "addon/exports.h"
#include "addon/pool.h"
#include "core/layer/changes.h"
#include "core/layer/copy.h"
#include "core/sys/beneath.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox::addon {
namespace {

// Every function takes (root, path, …) and resolves the path beneath that root, wherever its links point.

constexpr int kSafeOpen = O_NONBLOCK | O_NOCTTY;

Napi::Value to_number(Napi::Env env, uint64_t value) {
  return Napi::Number::New(env, static_cast<double>(value));
}

// What chmod and utimes change is named by a descriptor, so that no link is followed on the way.
String descriptor_path(int fd) { return format("/proc/self/fd/", fd); }

// fsOpen(root, path, flags, mode): a descriptor; a FIFO or device never blocks.
Napi::Value fs_open(const Napi::CallbackInfo& info) {
  return queue(
      info.Env(),
      [root = int_of(info[0]), path = text_of(info[1]), flags = int_of(info[2], 0),
       mode = unsigned_of(info[3])]() -> Result<int> {
        UniqueFd fd = TRY(open_in_root(root, path, flags | kSafeOpen, mode));
        return fd.release();
      },
      [](Napi::Env env, int& fd) -> Napi::Value { return Napi::Number::New(env, fd); });
}

Napi::Value stat_to_js(Napi::Env env, struct ::statx& info) {
  const Napi::Object out = Napi::Object::New(env);
  out.Set("mode", Napi::Number::New(env, info.stx_mode));
  out.Set("size", to_number(env, info.stx_size));
  out.Set("uid", Napi::Number::New(env, info.stx_uid));
  out.Set("gid", Napi::Number::New(env, info.stx_gid));
  out.Set("nlink", Napi::Number::New(env, info.stx_nlink));
  out.Set("mtimeMs", Napi::Number::New(env, static_cast<double>(info.stx_mtime.tv_sec) * 1000 +
                                                static_cast<double>(info.stx_mtime.tv_nsec) / 1e6));
  return out;
}

// fsStat(root, path, follow)
Napi::Value fs_stat(const Napi::CallbackInfo& info) {
  return queue(
      info.Env(), [ root = int_of(info[0]), path = text_of(info[1]),
                    follow = info[2].ToBoolean().Value() ]() -> Result<struct ::statx> {
        UniqueFd fd =
            TRY(follow ? open_in_root(root, path, O_PATH) : open_in_root_nofollow(root, path, O_PATH));
        return sys::statx(fd.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS);
      },
      stat_to_js);
}

// fsReaddir(root, path): [[name, type]], type as in dirent.h
Napi::Value fs_readdir(const Napi::CallbackInfo& info) {
  return queue(
      info.Env(),
      [root = int_of(info[0]), path = text_of(info[1])]() -> Result<Vector<DirectoryEntry>> {
        UniqueFd dir = TRY(open_in_root(root, path, O_RDONLY | O_DIRECTORY));
        return read_directory(dir.get());
      },
      [](Napi::Env env, Vector<DirectoryEntry>& entries) -> Napi::Value {
        const Napi::Array out = Napi::Array::New(env, entries.size());
        for (uint32_t i = 0; i < entries.size(); i++) {
          const Napi::Array pair = Napi::Array::New(env, 2);
          pair.Set(0U, to_js(env, entries[i].name.view()));
          pair.Set(1U, Napi::Number::New(env, entries[i].type));
          out.Set(i, pair);
        }
        return out;
      });
}

// fsMkdir(root, path, mode, recursive)
Napi::Value fs_mkdir(const Napi::CallbackInfo& info) {
  return queue_status(info.Env(),
                      [root = int_of(info[0]), path = text_of(info[1]), mode = unsigned_of(info[2]),
                       recursive = info[3].ToBoolean().Value()]() -> Status {
                        if (recursive) {
                          TRY(make_directories_in_root(root, path, mode));
                          return Ok{};
                        }
                        ParentAndName place = TRY(open_parent_in_root(root, path));
                        return sys::mkdirat(place.parent.get(), place.name.c_str(), mode);
                      });
}

Status remove_one(int dir, const char* name) {
  auto removed = sys::unlinkat(dir, name, 0);
  return removed;
}

// fsRemove(root, path, recursive, force)
Napi::Value fs_remove(const Napi::CallbackInfo& info) {
  return queue_status(
      info.Env(),
      [root = int_of(info[0]), path = text_of(info[1]), recursive = info[2].ToBoolean().Value(),
       force = info[3].ToBoolean().Value()]() -> Status {
        auto place = open_parent_in_root(root, path);
        if (!place) return force && place.err() == ENOENT ? Status(Ok{}) : Status(place.error());
        const auto info_here =
            sys::statx(place->parent.get(), place->name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE);
        if (!info_here) return force && info_here.err() == ENOENT ? Status(Ok{}) : Status(info_here.error());
        return recursive ? remove_tree_at(place->parent.get(), place->name.c_str())
                         : remove_one(place->parent.get(), place->name.c_str());
      });
}

// fsRename(root, from, to)
Napi::Value fs_rename(const Napi::CallbackInfo& info) {
  return queue_status(info.Env(),
                      [root = int_of(info[0]), from = text_of(info[1]), to = text_of(info[2])]() -> Status {
                        ParentAndName source = TRY(open_parent_in_root(root, from));
                        ParentAndName target = TRY(open_parent_in_root(root, to));
                        return sys::renameat2(source.parent.get(), source.name.c_str(), target.parent.get(),
                                              target.name.c_str(), 0);
                      });
}

// fsSymlink(root, path, target)
Napi::Value fs_symlink(const Napi::CallbackInfo& info) {
  return queue_status(
      info.Env(), [root = int_of(info[0]), path = text_of(info[1]), target = text_of(info[2])]() -> Status {
        ParentAndName place = TRY(open_parent_in_root(root, path));
        return sys::symlinkat(target.c_str(), place.parent.get(), place.name.c_str());
      });
}

// fsReadlink(root, path)
Napi::Value fs_readlink(const Napi::CallbackInfo& info) {
  return queue(
      info.Env(),
      [root = int_of(info[0]), path = text_of(info[1])]() -> Result<std::string> {
        UniqueFd link = TRY(open_in_root_nofollow(root, path, O_PATH));
        char target[4096];
        auto length = sys::readlinkat(link.get(), "", target, sizeof target);
        // The kernel's answer for a descriptor that is no link; for a name it is the other.
        if (length.err() == ENOENT) return Error(EINVAL);
        if (!length) return length.error();
        return std::string(target, *length);
      },
      [](Napi::Env env, std::string& target) -> Napi::Value { return Napi::String::New(env, target); });
}

// fsChmod(root, path, mode)
Napi::Value fs_chmod(const Napi::CallbackInfo& info) {
  return queue_status(
      info.Env(), [root = int_of(info[0]), path = text_of(info[1]), mode = unsigned_of(info[2])]() -> Status {
        UniqueFd fd = TRY(open_in_root(root, path, O_PATH));
        return sys::fchmodat(AT_FDCWD, descriptor_path(fd.get()).c_str(), mode & 07777);
      });
}

// fsChown(root, path, uid, gid): of the link itself, when it is one.
Napi::Value fs_chown(const Napi::CallbackInfo& info) {
  return queue_status(info.Env(),
                      [root = int_of(info[0]), path = text_of(info[1]), user = unsigned_of(info[2]),
                       group = unsigned_of(info[3])]() -> Status {
                        UniqueFd fd = TRY(open_in_root_nofollow(root, path, O_PATH));
                        return sys::fchownat(fd.get(), "", user, group, AT_EMPTY_PATH);
                      });
}

Vector<int> with_layers(const Napi::Value& value) { return ints_of(value); }

std::string_view name_of(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kAdded:
      return "added";
    case ChangeKind::kModified:
      return "modified";
    case ChangeKind::kDeleted:
      break;
  }
  return "deleted";
}

// listChanges(upper, lowers): [{ kind, path, mode, size }]
Napi::Value list(const Napi::CallbackInfo& info) {
  return queue(
      info.Env(),
      [upper = int_of(info[0]), lowers = with_layers(info[1])] { return list_changes(upper, lowers); },
      [](Napi::Env env, Vector<Change>& changes) -> Napi::Value {
        const Napi::Array out = Napi::Array::New(env, changes.size());
        for (uint32_t i = 0; i < changes.size(); i++) {
          const Napi::HandleScope scope(env);
          const Napi::Object entry = Napi::Object::New(env);
          entry.Set("kind", to_js(env, name_of(changes[i].kind)));
          entry.Set("path", to_js(env, changes[i].path.view()));
          entry.Set("mode", Napi::Number::New(env, changes[i].mode));
          entry.Set("size", to_number(env, changes[i].size));
          out.Set(i, entry);
        }
        return out;
      });
}

// copyTree(from, path): into the directory of that name on this machine, which must exist.
Napi::Value copy(const Napi::CallbackInfo& info) {
  return queue_status(info.Env(), [from = int_of(info[0]), path = text_of(info[1])]() -> Status {
    UniqueFd to = TRY(sys::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    return copy_tree(from, to.get());
  });
}

// applyChanges(upper, target, paths): how many entries changed.
Napi::Value apply(const Napi::CallbackInfo& info) {
  std::vector<std::string> paths;
  const Napi::Array list = info[2].As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); i++) paths.push_back(text_of(list.Get(i)));
  return queue(
      info.Env(),
      [upper = int_of(info[0]), path = text_of(info[1]), paths = std::move(paths)]() -> Result<uint64_t> {
        UniqueFd target = TRY(sys::open(path.c_str(), O_PATH | O_DIRECTORY));
        const Vector<std::string_view> views(paths.begin(), paths.end());
        return apply_changes(upper, target.get(), views);
      },
      [](Napi::Env env, uint64_t& count) { return to_number(env, count); });
}

// removeTree(path): a tree of this machine, directories that their owner made unreadable included; gone is
// fine.
Napi::Value remove_tree(const Napi::CallbackInfo& info) {
  return queue_status(info.Env(),
                      [path = text_of(info[0])] { return remove_tree_at(AT_FDCWD, path.c_str()); });
}

// syncFileSystem(path): waits until all that was written to the file system that it is on is on the disk.
Napi::Value sync_file_system(const Napi::CallbackInfo& info) {
  return queue_status(info.Env(), [path = text_of(info[0])]() -> Status {
    UniqueFd dir = TRY(sys::open(path.c_str(), O_RDONLY | O_DIRECTORY));
    return sys::syncfs(dir.get());
  });
}

// openDirectory(path): an O_PATH descriptor of a directory of this machine.
Napi::Value open_directory(const Napi::CallbackInfo& info) {
  const std::string path = text_of(info[0]);
  auto fd = sys::open(path.c_str(), O_PATH | O_DIRECTORY);
  if (!fd) return throw_js(info.Env(), fd.error().while_doing("open ", path));
  return Napi::Number::New(info.Env(), fd->release());
}

}  // namespace

void export_files(Napi::Env env, Napi::Object exports) {
  const auto add = [&](const char* name, auto* function) {
    exports.Set(name, Napi::Function::New(env, function));
  };
  add("fsOpen", &fs_open);
  add("fsStat", &fs_stat);
  add("fsReaddir", &fs_readdir);
  add("fsMkdir", &fs_mkdir);
  add("fsRemove", &fs_remove);
  add("fsRename", &fs_rename);
  add("fsSymlink", &fs_symlink);
  add("fsReadlink", &fs_readlink);
  add("fsChmod", &fs_chmod);
  add("fsChown", &fs_chown);
  add("listChanges", &list);
  add("copyTree", &copy);
  add("applyChanges", &apply);
  add("removeTree", &remove_tree);
  add("syncFileSystem", &sync_file_system);
  add("openDirectory", &open_directory);
}

}  // namespace nsbox::addon
