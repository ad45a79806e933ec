#pragma once

#include "core/base/error.h"
#include "core/layer/tar.h"
#include "core/layer/unpack.h"
#include "core/sys/syscalls.h"

// Owner, extended attributes, mode and times of what was unpacked. The order matters: a new owner takes
// set-user-ID bits and capabilities away, a mode without write permission keeps a user from user.*, and all
// else changes the times.
namespace nsbox {

sys::Times times_of(const TarTime& time);

// For files and directories, by a descriptor that is open for reading or writing.
Status set_owner_and_xattrs(int fd, const TarEntry& entry, UnpackAs as);
// All but the directory's own: those come last of all.
Status set_file_attributes(int fd, const TarEntry& entry, UnpackAs as);
// For links, devices and pipes, which cannot be opened.
Status set_special_attributes(int parent, const char* name, const TarEntry& entry, UnpackAs as);
// Those of one unpacked directory for another, but overlay's marks.
Status copy_attributes(int from, int to, UnpackAs as);
// Hides what lower layers have in that directory.
Status mark_opaque(int directory, UnpackAs as);

}  // namespace nsbox
