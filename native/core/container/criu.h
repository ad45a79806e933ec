#pragma once

#include <span>

#include "core/container/state.h"
#include "core/spec/config.h"

// Checkpoints through criu, by its command line. What a container has of the world outside (binds, the views
// of cgroups, namespaces by path, standard streams) is named to criu at the dump, and handed to it by the
// same names at the restore.
namespace nsbox {

struct CriuOptions {
  std::string_view program;
  std::span<const std::string_view> environment;
  std::string_view image_path;   // Absolute, as all paths here.
  std::string_view work_path;    // For its logs; empty: the images' own.
  std::string_view parent_path;  // Of an earlier dump, relative to the images.
  std::string_view config_file;
  std::string_view manage_cgroups;  // soft, full, strict, ignore
  std::string_view page_server_address;
  std::string_view page_server_port;
  std::string_view lsm_profile;
  std::string_view lsm_mount_context;
  int status_fd = -1;
  bool leave_running = false;
  bool pre_dump = false;
  bool tcp_established = false;
  bool tcp_skip_in_flight = false;
  bool link_remap = false;
  bool external_unix_sockets = false;
  bool shell_job = false;
  bool lazy_pages = false;
  bool file_locks = false;
  bool auto_dedup = false;
  bool empty_network = false;
};

// The words of one call.
class CriuArguments {
 public:
  // What dump and restore have in common.
  CriuArguments(const CriuOptions& options, std::string_view command, std::string_view log_file);

  void add(std::string_view word) { words_.push_back(String(word)); }
  void add(std::string_view name, std::string_view value) {
    add(name);
    add(value);
  }
  Vector<std::string_view> views() const;

 private:
  Vector<String> words_;
};

// What is known by name on both sides: "extRootNetNS" for a network namespace by path.
std::string_view external_namespace_key(uint64_t flag);
// What --external says of a mount. An image can have a part in where a mount lies: a place that criu would
// read as another is refused.
Result<String> external_mount(std::string_view place, std::string_view key);

// The first error in criu's log, or what it has said before it had one.
Error criu_error(const CriuOptions& options, std::string_view log_file, std::string_view how,
                 std::string_view said);

inline constexpr const char* kDescriptorsFile = "descriptors.json";

}  // namespace nsbox
