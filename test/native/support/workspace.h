#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/sys/unique_fd.h"
#include "test.h"

namespace nsbox::test {

// A directory of the test's own, on a real file system, removed at the end of the scope.
class Workspace {
 public:
  // With an owner other than root the whole of it is theirs.
  explicit Workspace(unsigned owner = 0);
  Workspace(const Workspace&) = delete;
  ~Workspace();

  // An O_PATH descriptor.
  int fd() const { return fd_.get(); }
  std::string path(const std::string& below = "") const {
    return below.empty() ? path_ : path_ + "/" + below;
  }

  // Make their parents, and fail the test when they cannot.
  void directory(const std::string& name, unsigned mode = 0755) const;
  void file(const std::string& name, const std::string& content = "", unsigned mode = 0644) const;
  void link(const std::string& name, const std::string& target) const;

  std::string read(const std::string& name) const;
  bool exists(const std::string& name) const;
  unsigned mode_of(const std::string& name) const;

 private:
  void parents_of(const std::string& name) const;

  std::string path_;
  UniqueFd fd_;
};

// "ok", or the error's message.
template <typename T>
std::string told(const Result<T>& result) {
  return result ? std::string("ok") : std::string(result.error().message().view());
}
// The code of the error: "ENOENT"; "ok" for success.
template <typename T>
std::string code_of(const Result<T>& result) {
  return result ? std::string("ok") : std::string(result.error().code());
}

std::string read_fd(int fd);
// The target of /proc/self/fd/N.
std::string name_of_fd(int fd);
size_t open_descriptors();

}  // namespace nsbox::test

// The value of a Result; leaves the test when there is none.
#define MUST(name, expression)                                                                  \
  auto name##_result = (expression);                                                            \
  if (!name##_result) {                                                                         \
    nsbox::test::fail(__FILE__, __LINE__, #expression ": " + nsbox::test::told(name##_result)); \
    return;                                                                                     \
  }                                                                                             \
  auto& name = *name##_result;                                                                  \
  (void)name
