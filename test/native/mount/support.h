#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <initializer_list>
#include <string>

#include "core/mount/mount.h"
#include "core/sys/file.h"
#include "support/workspace.h"

// What the tests of mounts have in the private /tmp of in_mount_namespace().
namespace nsbox::test {

inline void put(const char* path, const char* text = "") {
  const UniqueFd file(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  (void)!write(file.get(), text, strlen(text));
}

inline std::string content(const char* path) {
  const UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
  return file ? read_fd(file.get()) : "(none)";
}

// The line of mountinfo for the topmost mount there.
inline std::string mountinfo(const std::string& path) {
  auto text = read_file_at(AT_FDCWD, "/proc/self/mountinfo", size_t{1} << 24);
  const std::string whole(text->view());
  const size_t at = whole.rfind(" " + path + " ");
  return at == std::string::npos ? "" : whole.substr(at, whole.find('\n', at) - at);
}

// A root with these directories, a /dir, and beside it a file that it must not reach.
class RootInTmp {
 public:
  explicit RootInTmp(std::initializer_list<const char*> directories) {
    for (const char* name : {"/tmp/root", "/tmp/root/dir", "/tmp/outside"}) mkdir(name, 0755);
    for (const char* name : directories) mkdir((std::string("/tmp/root/") + name).c_str(), 0755);
    put("/tmp/outside/file", "outside");
    fd_ = UniqueFd(open("/tmp/root", O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  int get() const { return fd_.get(); }

 private:
  UniqueFd fd_;
};

inline Mount filesystem(std::string_view type, std::string_view destination,
                        std::initializer_list<std::string_view> options = {}) {
  Mount mount;
  mount.destination = destination;
  mount.type = mount.source = type;
  for (const std::string_view option : options) add_mount_option(mount, option);
  return mount;
}

inline Mount bound(std::string_view source, std::string_view destination,
                   std::initializer_list<std::string_view> options = {}) {
  Mount mount = filesystem("bind", destination, options);
  mount.source = source;
  mount.bind = true;
  return mount;
}

}  // namespace nsbox::test
