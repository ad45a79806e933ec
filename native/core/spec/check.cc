#include "core/spec/check.h"

#include <fcntl.h>
#include <linux/sched.h>

#include "core/base/text.h"
#include "core/sys/syscalls.h"

namespace nsbox {

namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kLabel = "0123456789.-+abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

// SemVer 2.0.0 of the series that we are in: "1.2.0", "1.3.0-rc.1+dev".
bool is_version_1(std::string_view version) {
  const size_t end = version.find_first_of("-+");
  if (end != std::string_view::npos) {
    const std::string_view label = version.substr(end + 1);
    if (label.empty() || label.find_first_not_of(kLabel) != std::string_view::npos) return false;
  }
  const Vector<std::string_view> numbers = split(version.substr(0, end), '.');
  if (numbers.size() != 3 || numbers[0] != "1") return false;
  for (const std::string_view number : numbers)
    if (number.empty() || number.size() > 9 || number.find_first_not_of(kDigits) != std::string_view::npos ||
        (number.size() > 1 && number[0] == '0'))
      return false;
  return true;
}

Status check_required(const Config& config) {
  if (config.oci_version.empty()) return Error::invalid("ociVersion: missing");
  if (!is_version_1(config.oci_version))
    return Error::invalid("ociVersion: expected a version 1.x such as 1.3.0, got ", config.oci_version);
  if (config.root_path.empty()) return Error::invalid("root.path: missing");
  if (!config.process) return Error::invalid("process: missing");
  return Ok{};
}

struct Need {
  bool is_given;
  uint64_t flag;
  std::string_view message;
};

Status check_namespaces(const Config& config) {
  const Need needs[] = {
      {!config.hostname.empty(), CLONE_NEWUTS, "hostname: needs a uts namespace"},
      {!config.domainname.empty(), CLONE_NEWUTS, "domainname: needs a uts namespace"},
      {!config.user_mappings.empty(), CLONE_NEWUSER, "linux.uidMappings: needs a user namespace"},
      {!config.group_mappings.empty(), CLONE_NEWUSER, "linux.gidMappings: needs a user namespace"},
      {!config.masked_paths.empty(), CLONE_NEWNS, "linux.maskedPaths: needs a mount namespace"},
      {!config.readonly_paths.empty(), CLONE_NEWNS, "linux.readonlyPaths: needs a mount namespace"},
      {!config.net_devices.empty(), CLONE_NEWNET, "linux.netDevices: needs a network namespace"},
      {!config.time_offsets.empty(), CLONE_NEWTIME, "linux.timeOffsets: needs a time namespace"},
  };
  for (const Need& need : needs)
    if (need.is_given && !config.has_namespace(need.flag)) return Error::invalid(need.message);
  // time_namespaces(7): the offsets are fixed once a process is inside.
  if (!config.time_offsets.empty() && !config.find_namespace(CLONE_NEWTIME)->path.empty())
    return Error::invalid("linux.timeOffsets: needs a new time namespace");
  return Ok{};
}

Status check_absolute(const Vector<std::string_view>& paths, std::string_view field) {
  for (size_t i = 0; i < paths.size(); i++)
    if (paths[i].empty() || paths[i][0] != '/')
      return Error::invalid(field, "[", i, "]: expected an absolute path");
  return Ok{};
}

}  // namespace

Status check_bundle(const Config& config) {
  TRY(check_required(config));
  TRY(check_namespaces(config));
  TRY(check_absolute(config.masked_paths, "linux.maskedPaths"));
  return check_absolute(config.readonly_paths, "linux.readonlyPaths");
}

Status check_sysctls_are_not_ours(const Config& config) {
  const NamespaceSpec* network = config.find_namespace(CLONE_NEWNET);
  if (!network || network->path.empty()) return Ok{};
  for (const Sysctl& one : config.sysctls) {
    if (!one.path.starts_with("net/")) continue;
    const String path(network->path);
    auto theirs = sys::statx(AT_FDCWD, path.c_str(), 0, STATX_INO);
    if (!theirs) return theirs.error().while_doing("open the network namespace ", network->path);
    const auto ours = TRY(sys::statx(AT_FDCWD, "/proc/self/ns/net", 0, STATX_INO));
    if (theirs->stx_ino == ours.stx_ino && theirs->stx_dev_minor == ours.stx_dev_minor &&
        theirs->stx_dev_major == ours.stx_dev_major)
      return Error::invalid("linux.sysctl.", one.name, ": not allowed in the host's network namespace");
    return Ok{};
  }
  return Ok{};
}

}  // namespace nsbox
