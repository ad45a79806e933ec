#pragma once

#include <linux/mount.h>

#include <cstdint>
#include <string_view>

#include "core/base/error.h"
#include "core/base/vector.h"
#include "core/sys/id_mapping.h"
#include "core/sys/unique_fd.h"

// One mount of a container: OCI runtime-spec config.md, "Mounts", with its options taken apart.
namespace nsbox {

struct Mount {
  std::string_view destination;  // Inside the new root; a relative one counts from "/".
  std::string_view type;         // A file system type; empty or "bind" for a bind.
  std::string_view source;
  bool bind = false;
  bool bind_recursive = false;
  uint64_t set = 0;  // MOUNT_ATTR_* on the mount itself …
  uint64_t clear = 0;
  uint64_t set_recursive = 0;  // … and on all below it (rro, rnosuid, …).
  uint64_t clear_recursive = 0;
  uint64_t set_super = 0;  // MS_SYNCHRONOUS, MS_LAZYTIME …: flags of the file system, not of the mount.
  uint64_t clear_super = 0;
  bool remount = false;           // Change what is mounted there already.
  Vector<uint64_t> propagations;  // MS_PRIVATE, MS_SLAVE …, with MS_REC for the r-forms; applied in order.
  bool scratch_upper = false;     // Ours: an overlay whose upper directory is the container's scratch space.
  bool source_nofollow = false;   // A link as the source is bound itself.
  bool dest_nofollow = false;     // A link at the destination is mounted over itself.
  bool copy_symlink = false;      // A link as the source is made anew at the destination.
  bool copy_up = false;           // tmpcopyup: the new tmpfs begins with what the directory below it holds.
  bool idmap = false;             // Ids on the bind are mapped by the lists below …
  bool idmap_recursive = false;   // … on all mounts below it too.
  Vector<IdMapping> user_mappings;  // Both empty: the maps of the container's own user namespace.
  Vector<IdMapping> group_mappings;
  bool prepare = false;  // It wants to be made outside.
  int prepared = -1;     // A detached mount, made outside the container's user namespace, to be attached.
  Vector<std::string_view> data;  // What is left, for the file system itself: "size=64k", "mode=755".
};

// Sorts one option into the mount; what is not one of mount(8)'s goes to `data`.
void add_mount_option(Mount& mount, std::string_view option);
// All the options that it knows, in alphabetical order.
Vector<String> mount_option_names();
// "rslave" is MS_SLAVE | MS_REC; 0 for another text.
uint64_t propagation_flags(std::string_view name);

// A new mount of a file system, attached nowhere yet. What the kernel has to say about a refused option is
// part of the error. `super`: MS_SYNCHRONOUS and the like. ENOSYS where the kernel has no new mount API, or
// an option is too long for it.
struct SuperFlags {
  uint64_t set = 0;
  uint64_t clear = 0;
};
Result<UniqueFd> make_filesystem(std::string_view type, std::string_view source,
                                 const Vector<std::string_view>& data, uint64_t attributes,
                                 SuperFlags super = {});
// A copy of the mount that lies at `source`, attached nowhere yet.
Result<UniqueFd> copy_mount(int dir, const char* source, bool recursive);
// Attaches a detached mount on the place that `target` (O_PATH) names.
Status attach_mount(int mount, int target);
Status set_mount_attributes(int mount, uint64_t set, uint64_t clear, bool recursive);
// Both at once; also where the kernel can set attributes of an attached mount only.
Status attach_with_attributes(int mount, int target, uint64_t set, uint64_t clear);
// Flags of a mount that is there: MS_REMOUNT, with MS_BIND for those of the mount alone.
Status remount(int mount, const Mount& how);
// MS_PRIVATE, MS_SLAVE …, with MS_REC for all mounts below as well.
Status set_propagation(int mount, uint64_t propagation);

// Copies what is below one directory into another: for tmpcopyup, whose copying is another folder's work.
using CopyTree = Status (*)(int from, int to);

// Mounts it beneath `root`, making its target when that is missing. Returns the mount's root; no descriptor
// where a link was made in its place (copy-symlink).
Result<UniqueFd> mount_beneath(int root, const Mount& mount, CopyTree copy_tree = nullptr);

}  // namespace nsbox
