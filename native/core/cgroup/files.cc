#include "core/cgroup/files.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "core/base/text.h"
#include "core/cgroup/stats.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox::cgroup {

Status write_value(int dir, const char* file, std::string_view value) {
  const UniqueFd fd = TRY(sys::openat(dir, file, O_WRONLY));
  const size_t done = TRY(sys::write(fd.get(), value.data(), value.size()));
  if (done != value.size()) return Error(EIO);
  return Ok{};
}

Result<String> read_value(int dir, const char* file) {
  const UniqueFd fd = TRY(sys::openat(dir, file, O_RDONLY));
  return read_all(fd.get(), size_t{16} << 20);
}

std::optional<uint64_t> read_number(int dir, const char* file) {
  auto text = read_value(dir, file);
  if (!text) return std::nullopt;
  const std::string_view value = trim(*text);
  if (value == "max") return kUnlimited;
  return parse_unsigned(value);
}

std::optional<uint64_t> value_of(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    std::string_view line = cut(text, '\n');
    if (cut(line, ' ') == key) return parse_unsigned(line);
  }
  return std::nullopt;
}

Result<Vector<String>> directories_in(int dir) {
  const UniqueFd fd = TRY(sys::openat(dir, ".", O_RDONLY | O_DIRECTORY));
  Vector<String> names;
  for (DirectoryEntry& entry : TRY(read_directory(fd.get())))
    if (entry.type == DT_DIR) names.push_back(std::move(entry.name));
  return names;
}

Deadline::Deadline(uint64_t timeout_ns) : end_ns_(sys::monotonic_ns() + timeout_ns) {}

bool Deadline::passed() const { return sys::monotonic_ns() >= end_ns_; }

int Deadline::left_ms() const {
  const uint64_t now = sys::monotonic_ns();
  if (now >= end_ns_) return 0;
  return static_cast<int>(std::min<uint64_t>((end_ns_ - now) / 1'000'000 + 1, 1'000'000));
}

void Deadline::pause() {
  (void)sys::nanosleep(pause_ns_);  // A signal may cut it short.
  pause_ns_ = std::min<uint64_t>(pause_ns_ * 2, 10'000'000);
}

}  // namespace nsbox::cgroup
