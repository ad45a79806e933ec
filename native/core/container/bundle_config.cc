#include "core/container/bundle_config.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/stat.h>

#include <cerrno>

#include "core/base/json.h"
#include "core/spec/parse.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

Result<String> read_regular_file(int dir, const char* path) {
  // A FIFO would keep us waiting for its other end.
  UniqueFd file = TRY(sys::openat(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  const auto info = TRY(sys::statx(file.get(), "", AT_EMPTY_PATH, STATX_TYPE));
  if (!S_ISREG(info.stx_mode)) return Error::plain(EINVAL, "not a regular file");
  return read_all(file.get(), json::kMaxSize);
}

Result<LoadedConfig> parse_text(String text) {
  LoadedConfig out;
  out.arena = std::make_unique<Arena>();
  out.text = out.arena->copy(text);
  const json::Value document = TRY(json::parse(out.text, *out.arena));
  // Parts of it are read later.
  const auto kept = out.arena->copy_array<json::Value>({&document, 1});
  out.config = TRY(parse_config(kept[0], *out.arena));
  return out;
}

}  // namespace

Result<LoadedConfig> load_config(int dir, std::string_view path) {
  auto text = read_regular_file(dir, String(path).c_str());
  if (text.err() == ENOENT) return Error::plain(ENOENT, "JSON specification file ", path, " not found");
  if (!text) return text.error().while_doing("read ", path);
  auto loaded = parse_text(std::move(*text));
  if (!loaded) return loaded.error().while_doing(path);
  const Config& config = loaded->config;
  if (!config.process) return Error::invalid(path, ": process: missing");
  if (config.root_path.empty()) return Error::invalid(path, ": root.path: missing");
  if (!config.has_namespace(CLONE_NEWNS))
    return Error::invalid(path,
                          ": linux.namespaces: a container without a mount namespace would change the "
                          "host's mounts; it is not supported");
  return loaded;
}

Result<LoadedConfig> load_saved_config(int state_directory) {
  auto text = read_regular_file(state_directory, "config.json");
  if (!text) return text.error().while_doing("read the saved configuration");
  return parse_text(std::move(*text));
}

}  // namespace nsbox
