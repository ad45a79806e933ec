#include "core/mount/mount.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "core/mount/flags.h"
#include "core/mount/prepare.h"
#include "core/mount/target.h"
#include "core/mount/tmpfs.h"
#include "core/sys/beneath.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

bool is_missing(int err) { return err == ENOSYS; }

// The old way: the mount comes into being on its target, found by the descriptor's name in /proc.
Result<UniqueFd> mount_the_old_way(int root, const Mount& mount, const char* source, int target) {
  if (mount.copy_up) return Error::plain(ENOSYS, "tmpcopyup wants the mount API of Linux 5.2");
  const String options = joined(mount.data);
  const unsigned long flags = mount.bind ? kMsBind | (mount.bind_recursive ? kMsRecursive : 0)
                                         : mount_flags(mount.set) | mount.set_super;
  TRY(sys::mount(source, fd_path(target).c_str(), mount.bind ? nullptr : String(mount.type).c_str(), flags,
                 mount.bind ? nullptr : options.c_str()));
  UniqueFd mounted = TRY(open_in_root(root, mount.destination, O_PATH));
  if (mount.bind && (mount.set || mount.clear)) TRY(remount(mounted.get(), mount));
  return mounted;
}

TargetKind kind_of(int source) { return is_directory(source) ? TargetKind::kDirectory : TargetKind::kFile; }

Result<UniqueFd> mount_bind(int root, const Mount& mount) {
  if (mount.idmap) return Error::plain(EINVAL, "ids can be mapped only before the container is entered");
  UniqueFd source = TRY(open_source(mount));
  Target target = TRY(open_target(root, mount, kind_of(source.get()), source.get()));
  auto copy = copy_mount(source.get(), "", mount.bind_recursive);
  if (is_missing(copy.err()))
    return mount_the_old_way(root, mount, fd_path(source.get()).c_str(), target.place.get());
  if (!copy) return copy.error().while_doing("copy the mount at ", mount.source);
  TRY(attach_with_attributes(copy->get(), target.place.get(), mount.set, mount.clear));
  return copy;
}

// Its attributes are set already, by who made it.
Result<UniqueFd> attach_prepared(int root, const Mount& mount) {
  UniqueFd made(TRY(sys::fcntl(mount.prepared, F_DUPFD_CLOEXEC, 0)));
  Target target = TRY(open_target(root, mount, kind_of(made.get()), made.get()));
  TRY(attach_mount(made.get(), target.place.get()));
  return made;
}

// Without a network namespace of its own a user namespace may mount no sysfs: the host's is shown, as other
// runtimes do.
Result<UniqueFd> bind_host_sysfs(const Mount& mount, const Target& target) {
  UniqueFd source = TRY(sys::open("/sys", O_PATH | O_DIRECTORY));
  UniqueFd copy = TRY(copy_mount(source.get(), "", true));
  TRY(set_propagation(copy.get(), kMsSlave | kMsRecursive));
  TRY(set_mount_attributes(copy.get(), mount.set, 0, true));
  TRY(attach_mount(copy.get(), target.place.get()));
  return copy;
}

// A terminal's group that this user namespace does not map is left out.
Vector<std::string_view> without_group(const Vector<std::string_view>& data) {
  Vector<std::string_view> rest;
  for (std::string_view option : data)
    if (!option.starts_with("gid=")) rest.push_back(option);
  return rest;
}

Result<UniqueFd> make_of(const Mount& mount) {
  const SuperFlags super{mount.set_super, mount.clear_super};
  auto made = make_filesystem(mount.type, mount.source, mount.data, mount.set, super);
  if (mount.type == "devpts" && made.err() == EINVAL && without_group(mount.data).size() != mount.data.size())
    return make_filesystem(mount.type, mount.source, without_group(mount.data), mount.set, super);
  return made;
}

Result<UniqueFd> make_and_attach(const Mount& mount, const Target& target, CopyTree copy_tree) {
  if (mount.type == "tmpfs") return mount_tmpfs(mount, target, copy_tree);
  auto made = make_of(mount);
  if (mount.type == "sysfs" && made.err() == EPERM) return bind_host_sysfs(mount, target);
  if (made) TRY(attach_mount(made->get(), target.place.get()));
  return made;
}

Result<UniqueFd> mount_filesystem(int root, const Mount& mount, CopyTree copy_tree) {
  Target target = TRY(open_target(root, mount, TargetKind::kDirectory));
  auto made = make_and_attach(mount, target, copy_tree);
  if (is_missing(made.err()))
    return mount_the_old_way(root, mount, String(mount.source).c_str(), target.place.get());
  return made;
}

Result<UniqueFd> change_mounted(int root, const Mount& mount) {
  UniqueFd there = TRY(open_in_root(root, mount.destination, O_PATH));
  TRY(remount(there.get(), mount));
  return there;
}

Result<UniqueFd> make_mount(int root, const Mount& mount, CopyTree copy_tree) {
  if (mount.prepared >= 0) return attach_prepared(root, mount);
  if (mount.remount) return change_mounted(root, mount);
  return mount.bind ? mount_bind(root, mount) : mount_filesystem(root, mount, copy_tree);
}

Result<UniqueFd> mount_and_adjust(int root, const Mount& mount, CopyTree copy_tree) {
  UniqueFd made = TRY(make_mount(root, mount, copy_tree));
  if (mount.prepared < 0)
    TRY(set_mount_attributes(made.get(), mount.set_recursive, mount.clear_recursive, true));
  for (const uint64_t propagation : mount.propagations) TRY(set_propagation(made.get(), propagation));
  return made;
}

// The text of the link that is the source; empty when it is none.
Result<String> link_text(const Mount& mount) {
  char text[4096];
  auto length = sys::readlinkat(AT_FDCWD, String(mount.source).c_str(), text, sizeof text);
  if (length.err() == EINVAL) return String();
  if (!length) return length.error().while_doing("open the source ", mount.source);
  return String(std::string_view(text, *length));
}

Status make_link(int root, const Mount& mount, const String& text) {
  std::string_view path = mount.destination;
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const size_t slash = path.find_last_of('/');
  if (slash != std::string_view::npos) TRY(make_directories_in_root(root, path.substr(0, slash), 0755));
  ParentAndName place = TRY(open_parent_in_root(root, path));
  auto made = sys::symlinkat(text.c_str(), place.parent.get(), place.name.c_str());
  if (made.err() != EEXIST) return made;
  char there[4096];
  auto length = sys::readlinkat(place.parent.get(), place.name.c_str(), there, sizeof there);
  if (length && std::string_view(there, *length) == text.view()) return Ok{};
  return Error::plain(EEXIST, "another file is in the link's place");
}

Result<UniqueFd> mount_or_link(int root, const Mount& mount, CopyTree copy_tree) {
  if (!mount.copy_symlink || !mount.bind) return mount_and_adjust(root, mount, copy_tree);
  const String text = TRY(link_text(mount));
  if (text.empty()) return mount_and_adjust(root, mount, copy_tree);
  TRY(make_link(root, mount, text));
  return UniqueFd();
}

}  // namespace

Result<UniqueFd> mount_beneath(int root, const Mount& mount, CopyTree copy_tree) {
  auto made = mount_or_link(root, mount, copy_tree);
  if (!made)
    return made.error().while_doing("mount ", mount.bind ? mount.source : mount.type, " on ",
                                    mount.destination);
  return made;
}

}  // namespace nsbox
