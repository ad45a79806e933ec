#pragma once

#include <cstdint>
#include <span>

#include "core/base/error.h"
#include "core/base/vector.h"
#include "core/layer/byte_source.h"
#include "core/layer/tar_limits.h"

// A layer's changeset into a directory of its own, in the form that overlay wants (OCI image-spec, layer.md,
// "Applying Changesets"; Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories").
//
// Every name is resolved beneath the directory. Links that the layer itself has made are followed on the way
// to an entry, but inside the root and never as the entry itself: so do containerd and umoci, and images need
// it. Of two entries with one name the last stays.
namespace nsbox {

// kRoot keeps owners and devices, and marks opaque directories for overlay as root mounts it. kUser writes an
// owner other than 0:0 into user.containers.override_stat, where fuse-overlayfs and podman look for it,
// leaves devices out, and marks for overlay with userxattr.
enum class UnpackAs : uint8_t { kRoot, kUser };

struct UnpackOptions {
  UnpackAs as = UnpackAs::kRoot;
  TarLimits limits;
};

constexpr size_t kMaxImplied = 4096;

struct Unpacked {
  uint64_t entries = 0;
  uint64_t size = 0;     // Of all files.
  uint64_t skipped = 0;  // Devices that could not be made.
  // Directories that the layer needs and does not mention, parents first: they belong to 0:0 and have the
  // mode 0755 until adopt_directories() makes them look as in the layers below.
  Vector<String> implied;
};

// Into the directory `root`, which should be empty. After an error the caller removes it: a layer comes whole
// or not at all. The source is read to its end.
// Nothing is synchronised to the disk.
Result<Unpacked> unpack_layer(ByteSource& source, int root, const UnpackOptions& options);

// Gives directories of an unpacked layer the mode, owner, times and attributes that they have in the layers
// below, the topmost first. What none of them has stays as it is.
Status adopt_directories(int root, std::span<const int> lowers, std::span<const String> paths, UnpackAs as);

}  // namespace nsbox
