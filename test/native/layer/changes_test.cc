#include "core/layer/changes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "support/forked.h"
#include "support/workspace.h"

using namespace nsbox;
using namespace nsbox::test;

namespace {

// "A new, M changed, D gone": the changes as one text, sorted by path.
std::string changes_of(const Workspace& work, std::initializer_list<const char*> lowers) {
  const UniqueFd upper(openat(work.fd(), "upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::vector<UniqueFd> opened;
  std::vector<int> fds;
  for (const char* lower : lowers) {
    opened.emplace_back(openat(work.fd(), lower, O_PATH | O_DIRECTORY | O_CLOEXEC));
    fds.push_back(opened.back().get());
  }
  auto changes = list_changes(upper.get(), fds);
  if (!changes) return told(changes);
  std::vector<std::string> lines;
  for (const Change& each : *changes)
    lines.push_back(std::string(each.path.view()) + " " + "AMD"[static_cast<int>(each.kind)]);
  std::sort(lines.begin(), lines.end());
  std::string all;
  for (const std::string& line : lines) all += (all.empty() ? "" : ", ") + line;
  return all;
}

void whiteout(const Workspace& work, const std::string& name) {
  if (mknodat(work.fd(), name.c_str(), S_IFCHR, makedev(0, 0)) != 0)
    fail(__FILE__, __LINE__, "make a whiteout");
}

void opaque(const Workspace& work, const std::string& name, const char* mark = "trusted.overlay.opaque") {
  work.directory(name);
  if (setxattr(work.path(name).c_str(), mark, "y", 1, 0) != 0) fail(__FILE__, __LINE__, "mark as opaque");
}

}  // namespace

TEST("changes: new, changed and deleted files; a directory only for its mode") {
  if (!is_privileged()) return skip("needs root to mark directories");
  const Workspace work;
  work.file("lower/same/file", "old");
  work.file("lower/gone");
  work.directory("lower/mode", 0755);
  work.file("upper/same/file", "new");
  work.file("upper/same/added");
  work.file("upper/fresh/inside");
  work.link("upper/link", "/etc/passwd");
  work.directory("upper/mode", 0700);
  whiteout(work, "upper/gone");
  EXPECT_EQ(changes_of(work, {"lower"}),
            "fresh A, fresh/inside A, gone D, link A, mode M, same/added A, same/file M");
}

TEST("changes: what an opaque directory hides does not count as there") {
  if (!is_privileged()) return skip("needs root to mark directories");
  const Workspace work;
  work.file("lower/dir/file");
  opaque(work, "upper/dir");
  work.file("upper/dir/file");
  EXPECT_EQ(changes_of(work, {"lower"}), "dir M, dir/file A");
}

TEST("changes: a layer between hides what lies below it") {
  if (!is_privileged()) return skip("needs root to mark directories");
  const Workspace work;
  work.file("bottom/opaque/file");
  work.file("bottom/deleted/file");
  work.file("bottom/replaced/file");
  work.file("bottom/plain/file");
  opaque(work, "middle/opaque");
  whiteout(work, "middle/deleted");
  work.file("middle/replaced");
  work.directory("middle/plain");
  work.file("upper/opaque/file");
  work.file("upper/plain/file");
  work.file("upper/deleted/file");
  work.file("upper/replaced/file");
  EXPECT_EQ(changes_of(work, {"middle", "bottom"}),
            "deleted A, deleted/file A, opaque/file A, plain/file M, replaced M, replaced/file A");
}

TEST("changes: links in the lower layers are not followed") {
  const Workspace work;
  work.file("outside/file");
  work.directory("lower");
  work.link("lower/dir", work.path("outside"));
  work.file("upper/dir/file");
  EXPECT_EQ(changes_of(work, {"lower"}), "dir M, dir/file A");
}

TEST("changes: of a tree of any depth so much is told as anybody makes") {
  const Workspace work;
  work.directory("upper");
  work.directory("lower");
  UniqueFd at(openat(work.fd(), "upper", O_RDONLY | O_CLOEXEC));
  for (int i = 0; i < kMaxTreeDepth + 10; i++) {
    if (mkdirat(at.get(), "d", 0755) != 0) return fail(__FILE__, __LINE__, "make a deep tree");
    at = UniqueFd(openat(at.get(), "d", O_RDONLY | O_CLOEXEC));
  }
  EXPECT(changes_of(work, {"lower"}).find("d/d/d") != std::string::npos);
}

TEST("changes: the marks of overlay are told apart from other files") {
  EXPECT(is_whiteout(S_IFCHR, 0, 0));
  EXPECT(!is_whiteout(S_IFCHR, 1, 3) && !is_whiteout(S_IFBLK, 0, 0) && !is_whiteout(S_IFREG, 0, 0));
}
