#include "support/workspace.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "core/sys/file.h"

namespace nsbox::test {

Workspace::Workspace(unsigned owner) {
  char name[] = "/tmp/nsbox-test-XXXXXX";
  if (!mkdtemp(name)) abort();
  path_ = name;
  if (owner && chown(name, owner, owner) != 0) abort();
  fd_ = UniqueFd(open(name, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

Workspace::~Workspace() {
  auto gone = remove_tree_at(AT_FDCWD, path_.c_str());
  if (!gone) fail(__FILE__, __LINE__, told(gone));
}

void Workspace::parents_of(const std::string& name) const {
  for (size_t at = name.find('/'); at != std::string::npos; at = name.find('/', at + 1))
    (void)mkdirat(fd(), name.substr(0, at).c_str(), 0755);
}

void Workspace::directory(const std::string& name, unsigned mode) const {
  parents_of(name);
  (void)mkdirat(fd(), name.c_str(), mode);
  if (fchmodat(fd(), name.c_str(), mode, 0) != 0) fail(__FILE__, __LINE__, "directory " + name);
}

void Workspace::file(const std::string& name, const std::string& content, unsigned mode) const {
  parents_of(name);
  const UniqueFd made(openat(fd(), name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!made || write(made.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size()) ||
      fchmod(made.get(), mode) != 0)
    fail(__FILE__, __LINE__, "file " + name);
}

void Workspace::link(const std::string& name, const std::string& target) const {
  parents_of(name);
  if (symlinkat(target.c_str(), fd(), name.c_str()) != 0) fail(__FILE__, __LINE__, "link " + name);
}

std::string Workspace::read(const std::string& name) const {
  const UniqueFd file(openat(fd(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  return file ? read_fd(file.get()) : "(none)";
}

bool Workspace::exists(const std::string& name) const {
  struct stat info;
  return fstatat(fd(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
}

unsigned Workspace::mode_of(const std::string& name) const {
  struct stat info = {};
  (void)fstatat(fd(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW);
  return info.st_mode & 07777;
}

std::string read_fd(int fd) {
  std::string all;
  char buffer[4096];
  for (ssize_t got; (got = read(fd, buffer, sizeof buffer)) > 0;)
    all.append(buffer, static_cast<size_t>(got));
  return all;
}

std::string name_of_fd(int fd) {
  char name[4096];
  const ssize_t size = readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), name, sizeof name);
  return size < 0 ? "(none)" : std::string(name, static_cast<size_t>(size));
}

size_t open_descriptors() {
  size_t count = 0;
  DIR* all = opendir("/proc/self/fd");
  while (all && readdir(all)) count++;
  if (all) closedir(all);
  return count;
}

}  // namespace nsbox::test
