#pragma once

#include <cstdint>
#include <span>

#include "core/base/error.h"
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
  // The layers below, topmost first: a directory that the layer does not mention but needs looks as there.
  std::span<const int> lowers;
};

struct Unpacked {
  uint64_t entries = 0;
  uint64_t size = 0;     // Of all files.
  uint64_t skipped = 0;  // Devices that could not be made.
};

// Into the directory `root`, which should be empty. After an error the caller removes it: a layer comes whole
// or not at all. The source is read to its end.
Result<Unpacked> unpack_layer(ByteSource& source, int root, const UnpackOptions& options);

}  // namespace nsbox
