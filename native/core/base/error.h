#pragma once

#include <cassert>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

#include "core/base/string.h"

namespace nsbox {

// What failed, in the user's terms, and the errno: "mount proc on /proc: EPERM (Operation not permitted)".
// An error that no system call gave (bad input) has errno EINVAL and says all in its text.
class Error {
 public:
  explicit Error(int err) : err_(err) {}
  Error(int err, String doing) : doing_(std::move(doing)), err_(err) {}

  int err() const { return err_; }
  // "EPERM"; an empty text for an errno without a name.
  std::string_view code() const;
  std::string_view doing() const { return doing_.view(); }
  String message() const;

  // The same failure, told by a caller that knows the name the user gave.
  template <typename... Parts>
  Error while_doing(const Parts&... parts) const {
    String text = format(parts...);
    if (!doing_.empty()) append(text, ": ", doing_);
    return Error(err_, std::move(text), plain_);
  }

  // A refusal of input: the text is the whole message.
  template <typename... Parts>
  static Error invalid(const Parts&... parts) {
    return Error(22 /* EINVAL */, format(parts...), true);
  }
  // As invalid, with an errno of its own.
  template <typename... Parts>
  static Error plain(int err, const Parts&... parts) {
    return Error(err, format(parts...), true);
  }

 private:
  Error(int err, String doing, bool plain) : doing_(std::move(doing)), err_(err), plain_(plain) {}

  String doing_;
  int err_;
  bool plain_ = false;  // No errno text behind the message.
};

struct Ok {};

// A value or the error that stood in its way. Must be looked at.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : ok_(true) { new (&value_) T(std::move(value)); }  // NOLINT: `return value;` is the idiom.
  Result(Error error) : ok_(false) { new (&error_) Error(std::move(error)); }  // NOLINT: likewise.
  Result(Result&& other) noexcept : ok_(other.ok_) {
    if (ok_)
      new (&value_) T(std::move(other.value_));
    else
      new (&error_) Error(std::move(other.error_));
  }
  Result(const Result&) = delete;
  Result& operator=(const Result&) = delete;
  Result& operator=(Result&& other) noexcept {
    if (this != &other) {
      this->~Result();
      new (this) Result(std::move(other));
    }
    return *this;
  }
  ~Result() {
    if (ok_)
      value_.~T();
    else
      error_.~Error();
  }

  explicit operator bool() const { return ok_; }
  T& value() & {
    assert(ok_);
    return value_;
  }
  T&& value() && {
    assert(ok_);
    return std::move(value_);
  }
  T& operator*() & { return value(); }
  T* operator->() { return &value(); }
  const Error& error() const {
    assert(!ok_);
    return error_;
  }
  // The error's number, 0 for success: `if (done.err() == ENOENT)`.
  int err() const { return ok_ ? 0 : error_.err(); }

 private:
  union {
    T value_;
    Error error_;
  };
  bool ok_;
};

using Status = Result<Ok>;

}  // namespace nsbox

// Passes a failure up; gives the value otherwise.
#define NSBOX_TRY(expression, name) \
  ({                                \
    auto name = (expression);       \
    if (!name) return name.error(); \
    std::move(name).value();        \
  })
#define NSBOX_TRY_NAMED(expression, number) NSBOX_TRY(expression, try_result_##number)
#define NSBOX_TRY_COUNTED(expression, number) NSBOX_TRY_NAMED(expression, number)
#define TRY(expression) NSBOX_TRY_COUNTED(expression, __COUNTER__)
