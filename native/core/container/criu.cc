#include "core/container/criu.h"

#include <fcntl.h>
#include <linux/sched.h>

#include <cerrno>

#include "core/base/text.h"
#include "core/sys/file.h"

namespace nsbox {
namespace {

constexpr size_t kLargestLog = size_t{64} << 20;

std::string_view log_folder(const CriuOptions& options) {
  return options.work_path.empty() ? options.image_path : options.work_path;
}

// "(00.099458) Error (criu/files-reg.c:1790): Can't lookup mount=24"; what it cannot raise is no failure.
std::string_view first_error(std::string_view log) {
  while (!log.empty()) {
    const std::string_view line = cut(log, '\n');
    const size_t at = line.find("Error ");
    if (at != std::string_view::npos && line.find("RLIMIT_NOFILE") == std::string_view::npos)
      return line.substr(at);
  }
  return {};
}

}  // namespace

CriuArguments::CriuArguments(const CriuOptions& options, std::string_view command,
                             std::string_view log_file) {
  add("criu", command);
  add("--images-dir", options.image_path);
  if (!options.work_path.empty()) add("--work-dir", options.work_path);
  add("--log-file", log_file);
  add("-v4");
  add(format("--manage-cgroups=", options.manage_cgroups));
  if (!options.config_file.empty()) add("--config", options.config_file);
  const auto add_if = [&](bool wanted, std::string_view name) {
    if (wanted) add(name);
  };
  add_if(options.tcp_established, "--tcp-established");
  add_if(options.tcp_skip_in_flight, "--skip-in-flight");
  add_if(options.link_remap, "--link-remap");
  add_if(options.external_unix_sockets, "--ext-unix-sk");
  add_if(options.shell_job, "--shell-job");
  add_if(options.lazy_pages, "--lazy-pages");
  add_if(options.file_locks, "--file-locks");
  add_if(options.auto_dedup, "--auto-dedup");
  if (options.empty_network) add("--empty-ns", "net");
}

Vector<std::string_view> CriuArguments::views() const {
  Vector<std::string_view> out;
  for (const String& word : words_) out.push_back(word);
  return out;
}

std::string_view external_namespace_key(uint64_t flag) {
  if (flag == CLONE_NEWNET) return "extRootNetNS";
  return flag == CLONE_NEWPID ? "extRootPidNS" : "";
}

Result<String> external_mount(std::string_view place, std::string_view key) {
  if (place.find("]:") != std::string_view::npos)
    return Error::invalid("criu cannot be told of a mount on ", place);
  return format("mnt[", place, "]:", key);
}

Error criu_error(const CriuOptions& options, std::string_view log_file, std::string_view how,
                 std::string_view said) {
  const String path = format(log_folder(options), "/", log_file);
  auto log = read_file_at(AT_FDCWD, path.c_str(), kLargestLog);
  std::string_view why = log ? first_error(*log) : std::string_view();
  if (why.empty()) why = trim(said);
  return Error::plain(ECHILD, "criu failed: ", how, why.empty() ? "" : ": ", why, " (log file: ", path, ")");
}

}  // namespace nsbox
