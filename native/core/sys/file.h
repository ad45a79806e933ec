#pragma once

#include <optional>
#include <string_view>

#include "core/base/error.h"
#include "core/base/vector.h"
#include "core/sys/unique_fd.h"

// Whole-file helpers over a directory descriptor (or AT_FDCWD). Names are relative to it and trusted: for a
// path inside a root that may be hostile see beneath.h. Errors name the path.
namespace nsbox {

inline constexpr size_t kDefaultReadLimit = size_t{1} << 20;

// The file's content, at most `limit` bytes: a larger one is EFBIG.
Result<String> read_file_at(int dir, const char* path, size_t limit = kDefaultReadLimit);
Result<String> read_all(int fd, size_t limit = kDefaultReadLimit);
// Writes all of the text in one write(2), as /proc and cgroup files want it, to a file that exists.
Status write_file_at(int dir, const char* path, std::string_view text);
Status write_all(int fd, const void* data, size_t size);
// mkdir -p; a directory that is there already is fine.
Status make_directories_at(int dir, std::string_view path, unsigned mode);
// Removes the file or the tree of that name; not followed when it is a link; gone is fine.
Status remove_tree_at(int dir, const char* name);

struct DirectoryEntry {
  String name;
  unsigned char type;  // DT_*
};
// All entries but "." and "..", in the kernel's order. `dir` must be open for reading.
Result<Vector<DirectoryEntry>> read_directory(int dir);

}  // namespace nsbox
