#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace nsbox {

// Which of a box's processes the starter knows, by its own names for them. Of fixed size: init frees nothing.
class ProcessTable {
 public:
  bool empty() const { return count_ == 0; }
  bool full() const { return count_ == kCapacity; }

  void add(uint32_t id, pid_t pid) { entries_[count_++] = {id, pid}; }
  pid_t pid_of(uint32_t id) const {
    for (size_t i = 0; i < count_; i++)
      if (entries_[i].id == id) return entries_[i].pid;
    return -1;
  }
  // Forgets the process and tells its name; nothing for one that was not started from outside.
  std::optional<uint32_t> remove(pid_t pid) {
    for (size_t i = 0; i < count_; i++) {
      if (entries_[i].pid != pid) continue;
      const uint32_t id = entries_[i].id;
      entries_[i] = entries_[--count_];
      return id;
    }
    return std::nullopt;
  }

 private:
  static constexpr size_t kCapacity = 4096;
  struct Entry {
    uint32_t id;
    pid_t pid;
  };
  Entry entries_[kCapacity];
  size_t count_ = 0;
};

}  // namespace nsbox
