#pragma once

#include "core/mount/mount.h"

namespace nsbox {

// linux.mountLabel as an option of mount(8): quoted, since a context has commas of its own.
String label_option(std::string_view label);
// Whether it is for this mount: a new file system that has files of its own. What the kernel shows by itself
// is labelled by the kernel.
bool takes_label(const Mount& mount);

}  // namespace nsbox
