#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "core/base/text.h"
#include "core/mount/flags.h"
#include "core/mount/mount.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr size_t kLongestValue = 255;  // fsconfig(2) takes no more.

// What the kernel wrote into the context's log: "tmpfs: Unknown parameter 'colour'". One read is one line,
// which begins with its level, "e " for an error.
String kernel_words(int fs) {
  String words;
  char line[512];
  for (;;) {
    auto got = sys::read(fs, line, sizeof line);
    if (!got || *got < 3) return words;
    append(words, words.empty() ? "" : "; ", trim(std::string_view(line + 2, *got - 2)));
  }
}

Error explained(int fs, const Error& error) {
  const String words = kernel_words(fs);
  return words.empty() ? error : error.while_doing(words);
}

// The end of the first option in "size=1k,mode=755": a comma counts neither behind a backslash nor in quotes.
size_t end_of_option(std::string_view text) {
  bool quoted = false;
  for (size_t at = 0; at < text.size(); at++) {
    if (text[at] == '"') quoted = !quoted;
    if (text[at] == '\\') at++;
    if (at < text.size() && text[at] == ',' && !quoted) return at;
  }
  return text.size();
}

// mount(2) strips the quotes that keep an SELinux context's commas together; here nobody does.
std::string_view unquoted(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return value;
  return value.substr(1, value.size() - 2);
}

Status set_option(int fs, std::string_view option) {
  const bool has_value = option.find('=') != std::string_view::npos;
  std::string_view value = option;
  const String key(cut(value, '='));
  auto set = has_value
                 ? sys::fsconfig(fs, FSCONFIG_SET_STRING, key.c_str(), String(unquoted(value)).c_str(), 0)
                 : sys::fsconfig(fs, FSCONFIG_SET_FLAG, key.c_str(), nullptr, 0);
  if (!set) return explained(fs, set.error()).while_doing("option ", option);
  return Ok{};
}

Status set_options(int fs, const Vector<std::string_view>& data) {
  for (std::string_view rest : data)
    while (!rest.empty()) {
      const size_t end = end_of_option(rest);
      if (end) TRY(set_option(fs, rest.substr(0, end)));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  return Ok{};
}

struct SuperFlag {
  uint64_t flag;
  const char* set;
  const char* clear;
};
// "silent" has no meaning here: what the kernel says is read. "iversion" is a wish that few file systems
// take.
constexpr SuperFlag kSuperFlags[] = {{1 << 4, "sync", "async"},
                                     {1 << 6, "mand", "nomand"},
                                     {1 << 7, "dirsync", nullptr},
                                     {1 << 25, "lazytime", "nolazytime"}};
constexpr uint64_t kIversion = 1 << 23;

Status set_super_flags(int fs, SuperFlags flags) {
  for (const SuperFlag& each : kSuperFlags) {
    const char* name = flags.set & each.flag ? each.set : flags.clear & each.flag ? each.clear : nullptr;
    if (!name) continue;
    auto set = sys::fsconfig(fs, FSCONFIG_SET_FLAG, name, nullptr, 0);
    if (!set) return explained(fs, set.error()).while_doing("option ", name);
  }
  if (flags.set & kIversion) (void)sys::fsconfig(fs, FSCONFIG_SET_FLAG, "iversion", nullptr, 0);
  return Ok{};
}

// One instance serves many of these mounts: only the mount becomes read-only. Of all others the file system
// itself does, as by mount(2); a medium that cannot be written wants that.
bool is_shared_instance(std::string_view type) {
  for (std::string_view kernels : {"proc", "sysfs", "tmpfs", "mqueue", "devpts", "cgroup", "cgroup2", "bpf"})
    if (type == kernels) return true;
  return false;
}

bool is_too_long(std::string_view source, const Vector<std::string_view>& data) {
  return source.size() > kLongestValue || std::any_of(data.begin(), data.end(), [](std::string_view option) {
           return option.size() > kLongestValue;
         });
}

Status configure(int fs, std::string_view source, const Vector<std::string_view>& data, SuperFlags super) {
  if (!source.empty()) {
    auto set = sys::fsconfig(fs, FSCONFIG_SET_STRING, "source", String(source).c_str(), 0);
    if (!set) return explained(fs, set.error()).while_doing("source ", source);
  }
  TRY(set_options(fs, data));
  return set_super_flags(fs, super);
}

}  // namespace

Result<UniqueFd> make_filesystem(std::string_view type, std::string_view source,
                                 const Vector<std::string_view>& data, uint64_t attributes,
                                 SuperFlags super) {
  if (is_too_long(source, data)) return Error(ENOSYS);
  auto fs = sys::fsopen(String(type).c_str(), 0);
  if (fs.err() == ENODEV) return fs.error().while_doing("this kernel has no file system ", type);
  if (!fs) return fs;
  TRY(configure(fs->get(), source, data, super));
  if ((attributes & MOUNT_ATTR_RDONLY) && !is_shared_instance(type))
    (void)sys::fsconfig(fs->get(), FSCONFIG_SET_FLAG, "ro", nullptr, 0);
  auto made = sys::fsconfig(fs->get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
  if (!made) return explained(fs->get(), made.error());
  return sys::fsmount(fs->get(), 0, static_cast<unsigned>(attributes));
}

}  // namespace nsbox
