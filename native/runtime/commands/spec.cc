#include <fcntl.h>

#include <cerrno>

#include "core/sys/file.h"
#include "core/sys/syscalls.h"
#include "runtime/default_spec.h"
#include "runtime/json_text.h"
#include "runtime/verb.h"

namespace nsbox::runtime {
namespace {

constexpr const char* kFile = "config.json";

constexpr OptionSpec kOptions[] = {
    {"bundle", 'b', Takes::kValue, "DIR  where to write it (default: the working directory)"},
    {"rootless", 0, Takes::kNothing, "for a container that a user without privileges runs"}};

Result<UniqueFd> open_bundle(std::string_view path) {
  auto dir = sys::open(String(path).c_str(), O_PATH | O_DIRECTORY);
  if (dir.err() == ENOENT) return Error::plain(ENOENT, "chdir ", path, ": no such file or directory");
  if (!dir) return dir.error().while_doing("open the bundle ", path);
  return dir;
}

Result<int> run(Globals&, const Arguments& arguments) {
  if (!arguments.operands().empty()) return usage_error("unexpected argument: ", arguments.operand(0));
  std::optional<RootlessUser> rootless;
  if (arguments.has("rootless")) rootless = {sys::geteuid(), sys::getegid()};
  const UniqueFd bundle = TRY(open_bundle(arguments.value("bundle", ".")));
  // Exclusively: a file that somebody else makes meanwhile is not overwritten either.
  auto file = sys::openat(bundle.get(), kFile, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
  if (file.err() == EEXIST) return Error::plain(EEXIST, "File ", kFile, " exists. Remove it first");
  if (!file) return file.error().while_doing("write ", kFile);
  const String text = indented_json(default_spec(rootless), "\t");
  if (auto done = write_all(file->get(), text.c_str(), text.size()); !done) {
    (void)sys::unlinkat(bundle.get(), kFile, 0);  // Half of it would only be in the way.
    return done.error().while_doing("write ", kFile);
  }
  return 0;
}

}  // namespace

const Verb kSpec = {"spec",   "[options]",      "write a configuration to begin with",
                    kOptions, Operands::kMixed, run};

}  // namespace nsbox::runtime
