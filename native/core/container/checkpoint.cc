#include "core/container/checkpoint.h"

#include <fcntl.h>
#include <linux/sched.h>

#include <algorithm>
#include <cerrno>

#include "core/base/text.h"
#include "core/container/bundle_config.h"
#include "core/process/program.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr uint64_t kLockTimeout = 10'000'000'000;
constexpr const char* kLogFile = "dump.log";

String hexadecimal(uint64_t value) {
  String out;
  for (int shift = 60; shift >= 0; shift -= 4) {
    const unsigned digit = value >> shift & 15;
    if (digit || !out.empty() || shift == 0) out.append("0123456789abcdef"[digit]);
  }
  return out;
}

class Dump {
 public:
  Dump(const State& state, const Config& config, const CriuOptions& options)
      : state_(state),
        config_(config),
        options_(options),
        arguments_(options, options.pre_dump ? "pre-dump" : "dump", kLogFile) {}

  Status run() {
    TRY(make_directory(options_.image_path));
    if (!options_.work_path.empty()) TRY(make_directory(options_.work_path));
    arguments_.add("--tree", format(state_.init.pid));
    arguments_.add("--root", state_.rootfs);
    if (options_.leave_running && !options_.pre_dump) arguments_.add("--leave-running");
    add_parent();
    add_freezer();
    TRY(add_namespaces());
    TRY(add_mounts());
    TRY(add_descriptors());
    return call();
  }

 private:
  static Status make_directory(std::string_view path) {
    auto made = sys::mkdirat(AT_FDCWD, String(path).c_str(), 0700);
    if (!made && made.err() != EEXIST) return made.error().while_doing("make the directory ", path);
    return Ok{};
  }

  void add_parent() {
    if (!options_.parent_path.empty()) {
      arguments_.add("--prev-images-dir", options_.parent_path);
      arguments_.add("--track-mem");
    } else if (options_.pre_dump) {
      arguments_.add("--track-mem");
    }
    // Pages go there, or (lazily) are asked for there.
    if (options_.page_server_port.empty()) return;
    if (!options_.lazy_pages) arguments_.add("--page-server");
    arguments_.add("--address", options_.page_server_address);
    arguments_.add("--port", options_.page_server_port);
  }

  // All processes stand at once, also those of a paused container, which cannot be stopped otherwise.
  void add_freezer() {
    for (const GroupPath& group : state_.groups) {
      if (!group.controllers.has(cgroup::Controller::kFreezer) &&
          !group.controllers.has(cgroup::Controller::kUnified))
        continue;
      arguments_.add("--freeze-cgroup", group.path);
      return;
    }
  }

  // Those by path belong to somebody else, and will be there at the restore.
  Status add_namespaces() {
    for (const NamespaceSpec& one : config_.namespaces) {
      const std::string_view key = external_namespace_key(one.flag);
      if (one.path.empty() || key.empty()) continue;
      const std::string_view type = one.flag == CLONE_NEWNET ? "net" : "pid";
      const String path = format("/proc/", state_.init.pid, "/ns/", type);
      const auto info = TRY(sys::statx(AT_FDCWD, path.c_str(), 0, STATX_INO));
      arguments_.add("--external", format(type, "[", info.stx_ino, "]:", key));
    }
    return Ok{};
  }

  bool is_bound(std::string_view place) const {
    for (const Mount& mount : config_.mounts) {
      std::string_view destination = mount.destination;
      while (destination.size() > 1 && destination.ends_with('/')) destination.remove_suffix(1);
      if (mount.bind && destination == place) return true;
    }
    return false;
  }

  // Each line: id parent device root place options … - type source options.
  Status add_mounts() {
    const bool own_groups = config_.has_namespace(CLONE_NEWCGROUP);
    const String text = TRY(read_file_at(AT_FDCWD, format("/proc/", state_.init.pid, "/mountinfo").c_str()));
    std::string_view rest = text;
    while (!rest.empty()) {
      std::string_view line = cut(rest, '\n');
      std::string_view type = line.substr(std::min(line.find(" - ") + 3, line.size()));
      type = cut(type, ' ');
      mount_ids_.push_back(String(cut(line, ' ')));
      for (int i = 0; i < 3; i++) cut(line, ' ');
      const std::string_view place = cut(line, ' ');
      const bool view_of_groups = type.starts_with("cgroup") && !own_groups;
      if (is_bound(place) || view_of_groups) arguments_.add("--external", TRY(external_mount(place, place)));
    }
    return Ok{};
  }

  bool has_mount(std::string_view id) const {
    return std::any_of(mount_ids_.begin(), mount_ids_.end(),
                       [&](const String& one) { return one.view() == id; });
  }

  // Standard streams that lead out of the container are handed over again at the restore, by these names.
  Result<String> descriptor_key(int fd) const {
    char target[4096];
    const String path = format("/proc/", state_.init.pid, "/fd/", fd);
    auto size = sys::readlinkat(AT_FDCWD, path.c_str(), target, sizeof target);
    if (!size) return String();  // Closed.
    const std::string_view text(target, *size);
    if (!text.starts_with('/')) return String(text);
    const String info =
        TRY(read_file_at(AT_FDCWD, format("/proc/", state_.init.pid, "/fdinfo/", fd).c_str()));
    std::string_view rest = info, mount_id;
    while (!rest.empty()) {
      std::string_view line = cut(rest, '\n');
      if (cut(line, ':') == "mnt_id") mount_id = trim(line);
    }
    if (has_mount(mount_id)) return String(text);
    const auto file = TRY(sys::statx(AT_FDCWD, path.c_str(), 0, STATX_INO));
    return format("file[", hexadecimal(parse_unsigned(mount_id).value_or(0)), ":", hexadecimal(file.stx_ino),
                  "]");
  }

  Status add_descriptors() {
    json::Writer list;
    list.begin_array();
    for (int fd = 0; fd < 3; fd++) {
      const String key = TRY(descriptor_key(fd));
      if (key.view().starts_with("file[")) arguments_.add("--external", key);
      list.string(key);
    }
    list.end_array();
    if (options_.pre_dump) return Ok{};
    const String path = format(options_.image_path, "/", kDescriptorsFile);
    auto file = sys::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    if (!file) return file.error().while_doing("write ", path);
    return write_all(file->get(), list.view().data(), list.view().size());
  }

  Status call() {
    const int status_fds[] = {options_.status_fd};
    const bool tells_status = options_.status_fd >= 0;
    if (tells_status) arguments_.add("--status-fd", "3");
    const Vector<std::string_view> words = arguments_.views();
    auto end = run_program({.path = options_.program,
                            .args = words,
                            .env = options_.environment,
                            .fds = {status_fds, tells_status ? 1U : 0U}});
    if (!end) return end.error().while_doing("run ", options_.program);
    if (end->succeeded()) return Ok{};
    return criu_error(options_, kLogFile, end->how(), end->error_output);
  }

  const State& state_;
  const Config& config_;
  const CriuOptions& options_;
  CriuArguments arguments_;
  Vector<String> mount_ids_;
};

}  // namespace

Status checkpoint_container(const StateDirectory& directory, const CriuOptions& options) {
  TRY(directory.lock(kLockTimeout));
  const State state = TRY(directory.read());
  const ContainerStatus status = TRY(current_status(directory, state));
  if (status != ContainerStatus::kRunning && status != ContainerStatus::kPaused)
    return Error::plain(EINVAL, "container cannot be checkpointed in ", name_of(status), " state");
  const LoadedConfig loaded = TRY(load_saved_config(directory.fd()));
  if (loaded.config.process->terminal)
    return Error::plain(ENOTSUP, "a container with a terminal cannot be checkpointed");
  return Dump(state, loaded.config, options).run();
}

}  // namespace nsbox
