// What a layer must not do, each case looked at from outside: whatever the answer, nothing beside the root is
// touched.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "core/layer/tar.h"
#include "core/layer/unpack.h"
#include "core/sys/file.h"
#include "layer/tar_builder.h"
#include "support/forked.h"
#include "support/workspace.h"

using namespace nsbox;
using namespace nsbox::test;

namespace {

// The files beside the root: names, contents, modes and times.
std::string outside_of(const Workspace& work) {
  std::string out;
  for (const char* name : {"outside", "outside/file", "outside/dir", "outside/dir/inner"}) {
    struct stat info = {};
    if (fstatat(work.fd(), name, &info, AT_SYMLINK_NOFOLLOW) != 0) return std::string("gone: ") + name;
    out += std::string(name) + ' ' + std::to_string(info.st_mode) + ' ' + std::to_string(info.st_uid) + ' ' +
           std::to_string(info.st_nlink) + ' ' + std::to_string(info.st_mtim.tv_sec) + ' ' +
           std::to_string(info.st_ctim.tv_nsec) + '\n';
  }
  for (const char* name : {".", "outside", "outside/dir"}) {
    const UniqueFd dir(openat(work.fd(), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    auto entries = read_directory(dir.get());
    out += std::to_string(entries ? entries->size() : 0) + '\n';
  }
  return out + work.read("outside/file") + work.read("outside/dir/inner");
}

struct Case {
  const char* name;
  std::string bytes;
  const char* expected;  // "ok", or part of the error.
};

std::string unpack(const Workspace& work, const std::string& bytes, const TarLimits& limits, size_t piece) {
  (void)remove_tree_at(work.fd(), "root");
  work.directory("root");
  const UniqueFd root(openat(work.fd(), "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  TextSource source(bytes, piece);
  UnpackOptions options;
  options.as = is_privileged() ? UnpackAs::kRoot : UnpackAs::kUser;
  options.limits = limits;
  return told(unpack_layer(source, root.get(), options));
}

void run(const Workspace& work, const std::vector<Case>& cases, const TarLimits& limits = {}) {
  work.file("outside/file", "secret", 0600);
  work.file("outside/dir/inner", "inner");
  work.directory("root");
  const std::string before = outside_of(work);
  for (const Case& one : cases)
    for (const size_t piece : {size_t{7}, size_t{512}, size_t{1} << 20}) {
      const std::string got = unpack(work, one.bytes, limits, piece);
      const std::string expected = one.expected;
      const bool right =
          expected == "ok" ? got == "ok" : got != "ok" && got.find(expected) != std::string::npos;
      if (!right) fail(__FILE__, __LINE__, std::string(one.name) + ": " + expected + ", got " + got);
      if (outside_of(work) != before)
        fail(__FILE__, __LINE__, std::string(one.name) + " leaves the root alone");
    }
}

std::string changed(std::string block, size_t at, const std::string& text) {
  block.replace(at, text.size(), text);
  set_checksum(block);
  return block;
}

std::string end_of_archive() { return std::string(1024, '\0'); }
std::string plain(const std::string& name) { return tar_block({.name = name}, 0); }

}  // namespace

TEST("layer hostile: names that lead out, or are no place") {
  const Workspace work;
  const auto file = [](const std::string& name) { return TarBuilder().file(name, "evil").ended(); };
  run(work,
      {
          {"parent", file("../outside/file"), "unpack ../outside/file: \"..\""},
          {"parent inside", file("a/../../outside/file"), "\"..\""},
          {"parent that stays", file("a/../b"), "\"..\""},
          {"parent at the end", file("a/.."), "\"..\""},
          {"absolute", file(work.path("outside/file")), "an absolute name"},
          {"two slashes", file("//etc/passwd"), "an absolute name"},
          {"parent by pax", TarBuilder().pax("path", "../outside/file").file("x", "evil").ended(), "\"..\""},
          {"absolute by pax", TarBuilder().pax("path", "/etc/x").file("x").ended(), "an absolute name"},
          {"NUL by pax", TarBuilder().pax("path", std::string("a\0b", 3)).file("x").ended(),
           "a NUL in a name"},
          {"NUL in a link", TarBuilder().pax("linkpath", std::string("a\0b", 3)).symlink("x", "y").ended(),
           "a NUL"},
          {"parent by GNU's long name",
           TarBuilder()
               .add({.name = "././@LongLink", .type = 'L'}, std::string("../outside/file\0", 16))
               .file("x")
               .ended(),
           "\"..\""},
          {"prefix", TarBuilder().add({.name = "file", .prefix = "../outside"}, "evil").ended(), "\"..\""},
          {"global path", TarBuilder().pax("path", "../outside/file", 'g').file("x", "evil").ended(),
           "\"..\""},
          {"sparse name", TarBuilder().pax("GNU.sparse.name", "../outside/file").file("x", "evil").ended(),
           "\"..\""},
          {"no name", file(""), "without a name"},
          {"a root that is a file", file("./."), "the root must be a directory"},
          {"a root that is a link", TarBuilder().symlink("./", work.path("outside")).ended(),
           "the root must be"},
          {"a long component", TarBuilder().file(std::string(90, 'a') + "/").ended(), "ok"},
          {"a component too long", TarBuilder().pax("path", std::string(300, 'a')).file("x").ended(),
           "ENAMETOOLONG"},
          {"a path too long", TarBuilder().pax("path", std::string(5000, 'a')).file("x").ended(), "too long"},
          {"control characters", file("../\x1B[31m"), "../\\x1b[31m"},
      });
}

TEST("layer hostile: links that lead out") {
  const Workspace work;
  const std::string out = work.path("outside");
  run(work,
      {
          {"a file through a link", TarBuilder().symlink("l", out).file("l/file", "evil").ended(),
           "unpack l/file: "},
          {"a file through a relative link",
           TarBuilder().symlink("l", "../outside").file("l/file", "evil").ended(), "unpack l/file: "},
          {"a link at the entry's own place",
           TarBuilder().symlink("l", out + "/file").file("l", "evil").ended(), "ok"},
          {"a directory in a link's place",
           TarBuilder().symlink("l", out).directory("l", 0777).file("l/file", "in").ended(), "ok"},
          {"modes through a link", TarBuilder().symlink("l", out + "/file").symlink("l", out).ended(), "ok"},
          {"a link of links", TarBuilder().symlink("a", "b").symlink("b", "a").file("a/x").ended(), "ELOOP"},
          {"a hard link out", TarBuilder().hard_link("h", "../outside/file").ended(), "no place in a layer"},
          {"a hard link out, absolute", TarBuilder().hard_link("h", out + "/file").ended(), "unpack h: "},
          {"a hard link through a link", TarBuilder().symlink("l", out).hard_link("h", "l/file").ended(),
           "unpack h: "},
          {"a hard link to a link, then written",
           TarBuilder().symlink("l", out + "/file").hard_link("h", "l").file("h", "evil").ended(), "ok"},
          {"a hard link to nothing", TarBuilder().hard_link("h", "none").ended(),
           "which the layer does not have"},
          {"a hard link to itself", TarBuilder().file("h", "x").hard_link("h", "h").ended(), "ok"},
          {"a hard link to its own parent", TarBuilder().file("d/f").hard_link("d", "d/f").ended(),
           "link to d/f"},
          {"a hard link to a directory", TarBuilder().directory("d").hard_link("h", "d").ended(),
           "to the directory d"},
          {"a hard link to the root", TarBuilder().hard_link("h", "./").ended(), "no place in a layer"},
          {"a hard link to a whiteout", TarBuilder().file(".wh.w").hard_link("h", "w").ended(),
           "which the layer does not have"},
          {"an empty link", TarBuilder().symlink("l", "").ended(), "ENOENT"},
          {"a file as a directory", TarBuilder().file("f").file("f/x").ended(), "ENOTDIR"},
          {"a pipe as a directory", TarBuilder().add({.name = "p", .type = '6'}).file("p/x").ended(),
           "ENOTDIR"},
          {"a pipe written to", TarBuilder().add({.name = "p", .type = '6'}).file("p", "x").ended(), "ok"},
          {"whiteout through a link", TarBuilder().symlink("l", out).file("l/.wh.file").ended(),
           "unpack l/.wh.file: "},
          {"opaque through a link", TarBuilder().symlink("l", out).file("l/.wh..wh..opq").ended(),
           "unpack l/.wh..wh..opq: "},
          {"a directory swapped behind its time", TarBuilder().directory("d", 0711).symlink("d", out).ended(),
           "ok"},
          {"a directory swapped, then removed",
           TarBuilder().directory("d").file("d/x").symlink("d", out).file("d", "x").ended(), "ok"},
      });
}

TEST("layer hostile: whiteouts of what cannot be deleted") {
  const Workspace work;
  const auto file = [](const std::string& name) { return TarBuilder().file(name).ended(); };
  run(work, {
                {"nothing", file(".wh."), "unpack .wh.: a whiteout of nothing"},
                {"nothing, deeper", file("a/.wh."), "a whiteout of nothing"},
                {"the directory", file(".wh.."), "a whiteout of a directory itself"},
                {"the parent", file("a/.wh..."), "a whiteout of a directory itself"},
                {"a whiteout", file(".wh..wh.x"), "a whiteout of a whiteout"},
                {"as a directory", file(".wh.a/b"), "a whiteout is no directory"},
                {"as a target", TarBuilder().hard_link("h", ".wh.x").ended(), "no place in a layer"},
                {"forged", TarBuilder().add({.name = "x", .type = '3'}).ended(), "the device 0:0"},
            });
}

TEST("layer hostile: headers that lie") {
  const Workspace work;
  const std::string block = plain("x");
  run(work,
      {
          {"a wrong sum",
           [&] {
             std::string bad = block;
             bad[0] = 'y';
             return bad + end_of_archive();
           }(),
           "checksum"},
          {"no sum",
           [&] {
             std::string bad = block;
             bad.replace(148, 8, 8, 'x');
             return bad;
           }(),
           "checksum"},
          {"noise", std::string(2048, '\x55'), "checksum"},
          {"a negative size", changed(block, 124, std::string(12, '\xFF')), "size is out of range"},
          {"a size that is no number", changed(block, 124, "12x456789012"), "size is no number"},
          {"a negative octal size", changed(block, 124, "-1234567890 "), "size is no number"},
          {"a huge size",
           changed(block, 124, "\x80" + std::string(3, '\0') + "\x7F" + std::string(7, '\xFF')), "beyond"},
          {"a size past 64 bits", changed(block, 124, "\x80" + std::string(11, '\xFF')), "size is no number"},
          {"a negative owner", changed(block, 108, std::string(8, '\xFF')), "owner is out of range"},
          {"owner 2^32-1", changed(block, 108, std::string("\x80\0\0\0\xFF\xFF\xFF\xFF", 8)),
           "owner is out of range"},
          {"an unknown type", tar_block({.name = "x", .type = 'M'}, 0), "type that a layer cannot have"},
          {"cut in a header", block.substr(0, 300), "cut short"},
          {"cut in the data", TarBuilder().file("x", std::string(2000, 'x')).bytes().substr(0, 1500),
           "cut short"},
          {"cut in the padding", TarBuilder().file("x", "x").bytes().substr(0, 600), "cut short"},
          {"cut behind a pax header", TarBuilder().pax("path", "y").bytes(), "no entry behind it"},
          {"an end behind a pax header", TarBuilder().pax("path", "y").ended(), "no entry behind it"},
          {"a device out of range", changed(tar_block({.name = "x", .type = '3'}, 0), 329, "7777777\0"),
           "out of range"},
          {"an empty stream", "", "ok"},
          {"an empty archive", end_of_archive(), "ok"},
      });
}

TEST("layer hostile: pax records that lie") {
  const Workspace work;
  const auto pax = [](const std::string& text) { return TarBuilder().pax_text(text).file("x", "x").ended(); };
  const auto one = [](const std::string& key, const std::string& value) {
    return TarBuilder().pax(key, value).file("x", "x").ended();
  };
  run(work, {
                {"no length", pax("path=y\n"), "LENGTH KEY=VALUE"},
                {"length 0", pax("0 path=y\n"), "LENGTH KEY=VALUE"},
                {"too short", pax("4 path=y\n"), "LENGTH KEY=VALUE"},
                {"past the end", pax("99 path=y\n"), "LENGTH KEY=VALUE"},
                {"past all numbers", pax("99999999999999999999 path=y\n"), "LENGTH KEY=VALUE"},
                {"negative", pax("-9 path=y\n"), "LENGTH KEY=VALUE"},
                {"no newline", pax("9 path=yy"), "LENGTH KEY=VALUE"},
                {"no key", pax("6 =abc\n"), "LENGTH KEY=VALUE"},
                {"no value", pax("8 abcde\n"), "LENGTH KEY=VALUE"},
                {"NUL in a key", one(std::string("a\0b", 3), "x"), "LENGTH KEY=VALUE"},
                {"negative size", one("size", "-1"), "a pax size"},
                {"huge size", one("size", "99999999999999999999"), "a pax size"},
                {"size beyond the end", one("size", "5000"), "cut short"},
                {"owner 2^32-1", one("uid", "4294967295"), "a pax owner"},
                {"owner of words", one("gid", "root"), "a pax owner"},
                {"time of words", one("mtime", "now"), "a pax time"},
                {"time past all", one("mtime", "9999999999999999999"), "a pax time"},
                {"a header too large",
                 TarBuilder().add({.name = "x", .type = 'x', .size = "77777777"}).ended(), "too large"},
                {"a name too large",
                 TarBuilder().add({.name = "x", .type = 'L', .size = "77777777777"}).ended(), "too large"},
                {"a name of no size",
                 TarBuilder().add({.name = "x", .type = 'L', .size = std::string(12, '\xFF')}).ended(),
                 "no number"},
            });
}

TEST("layer hostile: sparse maps that lie") {
  const Workspace work;
  const auto map = [](const std::string& text, const std::string& size = "1000") {
    return TarBuilder()
        .pax_text(pax_record("GNU.sparse.size", size) + pax_record("GNU.sparse.map", text))
        .file("x", "0123456789")
        .ended();
  };
  const auto in_data = [](const std::string& data) {
    return TarBuilder()
        .pax_text(pax_record("GNU.sparse.major", "1") + pax_record("GNU.sparse.realsize", "1000"))
        .file("x", data)
        .ended();
  };
  std::string old = tar_block({.name = "x", .type = 'S', .magic = std::string("ustar  \0", 8)}, 0);
  run(work,
      {
          {"right", map("10,10"), "ok"},
          {"past the file", map("995,10"), "leaves the file"},
          {"past all numbers", map("18446744073709551615,10"), "leaves the file"},
          {"overlapping", map("10,5,12,5"), "overlaps"},
          {"backwards", map("20,5,10,5"), "overlaps"},
          {"less than the data", map("10,5"), "does not fit"},
          {"more than the data", map("10,50"), "does not fit"},
          {"odd", map("10"), "a sparse map that is none"},
          {"words", map("a,b"), "a sparse map that is none"},
          {"a huge file", map("10,10", "9999999999999999999"), "beyond"},
          {"a piece without its place", TarBuilder().pax("GNU.sparse.numbytes", "1").file("x", "x").ended(),
           "without its offset"},
          {"a map of no numbers", in_data("x\n"), "a sparse map that is none"},
          {"a map too long", in_data("999999999\n"), "too many pieces"},
          {"a map cut short", in_data("2\n0\n"), "a sparse map that"},
          {"a map without end", in_data("11111111111111111111111111"), "a sparse map that"},
          {"an old map of no numbers", changed(old, 386, "xxxxxxxxxxxx") + end_of_archive(),
           "sparse map is no number"},
          {"an old map without end", changed(changed(old, 482, "\1"), 483, "00000001750 "), "cut short"},
          {"a sparse link", TarBuilder().pax("GNU.sparse.size", "5").symlink("x", "y").ended(),
           "sparse, and no file"},
      });
}

TEST("layer hostile: more than the limits") {
  const Workspace work;
  TarBuilder many;
  for (int i = 0; i < 20; i++) many.file("f" + std::to_string(i), "0123456789");
  TarBuilder headers;
  for (int i = 0; i < 20; i++) headers.pax("path", "x");
  TarLimits few;
  few.entries = 10;
  run(work,
      {{"entries", many.ended(), "more entries"}, {"headers", headers.file("x").ended(), "more entries"}},
      few);
  TarLimits little;
  little.total = 100;
  run(work,
      {{"bytes", many.ended(), "more bytes"},
       {"one size", TarBuilder().file("x", std::string(200, 'x')).ended(), "beyond"}},
      little);
  TarLimits narrow;
  narrow.name = 5;
  narrow.pax = 30;
  narrow.extents = 2;
  run(work,
      {{"name", TarBuilder().file("abcdef").ended(), "too long"},
       {"link", TarBuilder().symlink("a", "abcdef").ended(), "too long"},
       {"pax", TarBuilder().pax("comment", std::string(50, 'x')).file("x").ended(), "too large"},
       {"pieces", TarBuilder().pax_text("25 GNU.sparse.map=0,1,2,1,\n").file("x").ended(), "LENGTH"}},
      narrow);
}

TEST("layer hostile: overlay's own attributes and owners are not the layer's to give") {
  const Workspace work;
  if (!is_privileged()) return skip("needs root");
  TarBuilder tar;
  const char* keys[] = {"trusted.overlay.opaque", "trusted.overlay.redirect", "user.overlay.opaque",
                        "user.containers.override_stat", "security.selinux"};
  for (const char* key : keys)
    tar.pax(std::string("SCHILY.xattr.") + key, "y").directory(std::string("d.") + key);
  run(work, {{"attributes", tar.ended(), "ok"}});
  for (const char* key : keys)
    EXPECT(getxattr(work.path(std::string("root/d.") + key).c_str(), key, nullptr, 0) < 0);
}
