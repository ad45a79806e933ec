#include "core/container/cgroup_mount.h"

#include <fcntl.h>

#include <cerrno>

#include "core/cgroup/layout.h"
#include "core/sys/beneath.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr uint64_t kAttributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

using cgroup::HierarchyLayout;
using cgroup::Layout;
using cgroup::Version;

bool is_unified(const Layout& layout) {
  return layout.hierarchies.size() == 1 && layout.hierarchies[0].version == Version::kV2;
}

// EINVAL: in a user namespace, what lies below the mount is locked.
bool is_refused(int err) { return err == EPERM || err == EBUSY || err == EACCES || err == EINVAL; }

Status bind_host_view(int target) {
  UniqueFd source = TRY(sys::open("/sys/fs/cgroup", O_PATH | O_DIRECTORY));
  UniqueFd copy = TRY(copy_mount(source.get(), "", true));
  TRY(set_mount_attributes(copy.get(), kAttributes, 0, true));
  return attach_mount(copy.get(), target);
}

// The options of a v1 hierarchy are the controllers it has, or its name.
Vector<std::string_view> v1_options(const HierarchyLayout& one, String& name) {
  Vector<std::string_view> options;
  for_each(one.controllers, [&](cgroup::Controller controller) {
    if (controller != cgroup::Controller::kUnified) options.push_back(cgroup::name_of(controller));
  });
  if (!one.name.empty()) {
    name = format("name=", one.name);
    options.push_back("none");
    options.push_back(name.view());
  }
  return options;
}

Result<UniqueFd> make_hierarchy(const HierarchyLayout& one) {
  if (one.version == Version::kV2) return make_filesystem("cgroup2", "cgroup2", {}, kAttributes);
  String name;
  return make_filesystem("cgroup", "cgroup", v1_options(one, name), kAttributes);
}

// A mount of its own shows the container's group only in a namespace of groups; without, there is the host's.
Result<UniqueFd> own_part(const HierarchyLayout& one) {
  if (one.own_path.empty()) return make_hierarchy(one);
  const String path = format(one.mount_point, "/", one.own_path);
  UniqueFd copy = TRY(copy_mount(AT_FDCWD, path.c_str(), false));
  TRY(set_mount_attributes(copy.get(), kAttributes, 0, false));
  return copy;
}

// Who may mount no hierarchy gets the host's view of it.
Result<UniqueFd> own_or_host_part(const HierarchyLayout& one) {
  auto made = own_part(one);
  if (!is_refused(made.err())) return made;
  UniqueFd copy = TRY(copy_mount(AT_FDCWD, one.mount_point.c_str(), true));
  TRY(set_mount_attributes(copy.get(), kAttributes, 0, true));
  return copy;
}

// Where the host has it: "/sys/fs/cgroup/memory" is "memory".
std::string_view folder_of(const HierarchyLayout& one) {
  const std::string_view path = one.mount_point.view();
  return path.substr(path.find_last_of('/') + 1);
}

// `first` is the mount of the first hierarchy.
Status mount_each(int root, const Layout& layout, std::string_view destination, int target, UniqueFd first) {
  Vector<std::string_view> options;
  options.push_back("mode=755");
  options.push_back("size=64k");
  UniqueFd folder =
      TRY(make_filesystem("tmpfs", "tmpfs", options, kAttributes & ~uint64_t{MOUNT_ATTR_RDONLY}));
  TRY(attach_mount(folder.get(), target));
  for (const HierarchyLayout& one : layout.hierarchies) {
    auto made = first ? Result<UniqueFd>(std::move(first)) : own_or_host_part(one);
    if (!made) return made.error().while_doing("the hierarchy ", folder_of(one));
    UniqueFd place = TRY(make_directories_in_root(root, format(destination, "/", folder_of(one)), 0755));
    TRY(attach_mount(made->get(), place.get()));
  }
  return set_mount_attributes(folder.get(), MOUNT_ATTR_RDONLY, 0, false);
}

Status mount_view(int root, const Mount& mount) {
  const Layout layout = TRY(cgroup::read_layout());
  UniqueFd target = TRY(make_directories_in_root(root, mount.destination, 0755));
  if (layout.hierarchies.empty()) return Error(ENODEV);
  // The first hierarchy tells whether this user may mount any. (It is not made a second time: letting go of a
  // detached mount waits for a grace period.)
  auto first = own_part(layout.hierarchies[0]);
  if (!first && is_refused(first.err())) return bind_host_view(target.get());
  if (!first) return first.error();
  if (is_unified(layout)) return attach_mount(first->get(), target.get());
  return mount_each(root, layout, mount.destination, target.get(), std::move(*first));
}

}  // namespace

Status mount_cgroups(int root, const Mount& mount) {
  auto done = mount_view(root, mount);
  if (!done) return done.error().while_doing("mount cgroup on ", mount.destination);
  return Ok{};
}

}  // namespace nsbox
