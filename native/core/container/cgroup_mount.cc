#include "core/container/cgroup_mount.h"

#include <fcntl.h>

#include <cerrno>

#include "core/cgroup/layout.h"
#include "core/mount/target.h"
#include "core/sys/beneath.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr uint64_t kAttributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

using cgroup::HierarchyLayout;
using cgroup::Layout;
using cgroup::Version;

// EINVAL: in a user namespace, what lies below the mount is locked.
bool is_refused(int err) { return err == EPERM || err == EBUSY || err == EACCES || err == EINVAL; }

const HierarchyLayout* find_unified(const Layout& layout) {
  for (const HierarchyLayout& one : layout.hierarchies)
    if (one.version == Version::kV2) return &one;
  return nullptr;
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

Result<UniqueFd> make_hierarchy(const HierarchyLayout& one, uint64_t attributes) {
  if (one.version == Version::kV2) return make_filesystem("cgroup2", "cgroup2", {}, attributes);
  String name;
  return make_filesystem("cgroup", "cgroup", v1_options(one, name), attributes);
}

Result<UniqueFd> copy_of(const String& path, bool recursive, uint64_t attributes) {
  UniqueFd copy = TRY(copy_mount(AT_FDCWD, path.c_str(), recursive));
  TRY(set_mount_attributes(copy.get(), attributes, 0, recursive));
  return copy;
}

// The container's own group: what a mount in its namespace of groups would show, at a quarter of the price.
// Where the kernel refuses it, such a mount; and else the host's view, which is read-only for whoever has it.
Result<UniqueFd> own_part(const HierarchyLayout& one, uint64_t attributes) {
  const bool is_all = one.own_path.empty();
  const uint64_t safe = is_all ? attributes | MOUNT_ATTR_RDONLY : attributes;
  auto made =
      is_all ? make_hierarchy(one, safe) : copy_of(format(one.mount_point, "/", one.own_path), false, safe);
  if (!made && !is_all && is_refused(made.err())) made = make_hierarchy(one, kAttributes);
  if (!is_refused(made.err())) return made;
  return copy_of(one.mount_point, true, kAttributes);
}

// Where the host has it: "/sys/fs/cgroup/memory" is "memory".
std::string_view folder_of(const HierarchyLayout& one) {
  const std::string_view path = one.mount_point.view();
  return path.substr(path.find_last_of('/') + 1);
}

// Controllers that share a hierarchy are each found by their own name as well: "cpu" is "cpu,cpuacct".
Status link_controllers(int folder, const HierarchyLayout& one) {
  const String name(folder_of(one));
  Status done = Ok{};
  for_each(one.controllers, [&](cgroup::Controller controller) {
    const std::string_view alone = cgroup::name_of(controller);
    if (!done || one.version == Version::kV2 || alone == name.view()) return;
    done = sys::symlinkat(name.c_str(), folder, String(alone).c_str());
    if (done.err() == EEXIST) done = Ok{};
  });
  return done;
}

Status mount_each(const Layout& layout, int target, uint64_t attributes) {
  Vector<std::string_view> options;
  options.push_back("mode=755");
  options.push_back("size=64k");
  UniqueFd folder =
      TRY(make_filesystem("tmpfs", "tmpfs", options, kAttributes & ~uint64_t{MOUNT_ATTR_RDONLY}));
  TRY(attach_mount(folder.get(), target));
  for (const HierarchyLayout& one : layout.hierarchies) {
    auto made = own_part(one, attributes);
    if (!made) return made.error().while_doing("the hierarchy ", folder_of(one));
    UniqueFd place = TRY(make_directories_in_root(folder.get(), folder_of(one), 0755));
    TRY(attach_mount(made->get(), place.get()));
    TRY(link_controllers(folder.get(), one));
  }
  return set_mount_attributes(folder.get(), MOUNT_ATTR_RDONLY, 0, false);
}

Status mount_view(int root, const Mount& mount, const Layout& layout) {
  const Target target = TRY(open_target(root, mount, TargetKind::kDirectory));
  if (layout.hierarchies.empty()) return Error(ENODEV);
  const uint64_t attributes = kAttributes & ~(mount.set & MOUNT_ATTR_RDONLY ? 0 : MOUNT_ATTR_RDONLY);
  const HierarchyLayout* unified = find_unified(layout);
  const bool alone = unified && (mount.type == "cgroup2" || layout.hierarchies.size() == 1);
  if (!alone) return mount_each(layout, target.place.get(), attributes);
  return attach_mount(TRY(own_part(*unified, attributes)).get(), target.place.get());
}

}  // namespace

Status mount_cgroups(int root, const Mount& mount, const cgroup::Layout* known) {
  Layout found;
  if (!known) found = TRY(cgroup::read_layout());
  auto done = mount_view(root, mount, known ? *known : found);
  if (!done) return done.error().while_doing("mount cgroup on ", mount.destination);
  return Ok{};
}

}  // namespace nsbox
