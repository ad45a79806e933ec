#pragma once

#include <string_view>

#include "core/base/error.h"
#include "core/sys/unique_fd.h"

// Paths beneath a root that may be hostile: every name is resolved by openat2(2) with that directory as the
// root, so that no "..", absolute link or magic link leads out of it. One component is made at a time, on a
// held descriptor.
namespace nsbox {

// Opens what is there. "/" and "" mean the root itself.
Result<UniqueFd> open_in_root(int root, std::string_view path, int flags, unsigned mode = 0);
// The same, and a link as the last component is not followed.
Result<UniqueFd> open_in_root_nofollow(int root, std::string_view path, int flags, unsigned mode = 0);

// An O_PATH descriptor of the directory; what is missing is made with `mode`.
Result<UniqueFd> make_directories_in_root(int root, std::string_view path, unsigned mode);
// The same of what has just been looked for and not found.
Result<UniqueFd> make_absent_directories_in_root(int root, std::string_view path, unsigned mode);
// An O_PATH descriptor of the file; an empty one is made, with its directories, when there is nothing.
Result<UniqueFd> make_file_in_root(int root, std::string_view path, unsigned mode);

struct ParentAndName {
  UniqueFd parent;  // O_PATH
  String name;      // One component: never empty, "." or "..".
};
// The directory that holds the last component; links before it are followed inside the root.
Result<ParentAndName> open_parent_in_root(int root, std::string_view path);

}  // namespace nsbox
