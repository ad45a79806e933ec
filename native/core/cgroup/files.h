#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/error.h"
#include "core/base/vector.h"

// The small files of a group's directory. Errors are bare: the caller knows what it was for.
namespace nsbox::cgroup {

Status write_value(int dir, const char* file, std::string_view value);
Result<String> read_value(int dir, const char* file);
// Nothing when the file is not there, or not a number; kUnlimited for "max".
std::optional<uint64_t> read_number(int dir, const char* file);
// The value behind `key ` in a file of lines "key value".
std::optional<uint64_t> value_of(std::string_view text, std::string_view key);
// The directories inside; their names alone.
Result<Vector<String>> directories_in(int dir);

// A time by which something must have happened, and sleeps that grow until then.
class Deadline {
 public:
  explicit Deadline(uint64_t timeout_ns);
  bool passed() const;
  int left_ms() const;
  // Sleeps a little longer each time, from 50 µs to 10 ms.
  void pause();

 private:
  uint64_t end_ns_;
  uint64_t pause_ns_ = 50'000;
};

}  // namespace nsbox::cgroup
