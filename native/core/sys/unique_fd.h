#pragma once

#include <utility>

#include "core/sys/raw.h"

namespace nsbox {

// Sole owner of one file descriptor.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1) {
    // No retry on EINTR: Linux has already freed the number.
    if (const int old = std::exchange(fd_, fd); old >= 0) (void)sys::call(__NR_close, old);
  }

 private:
  int fd_ = -1;
};

}  // namespace nsbox
