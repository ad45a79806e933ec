#include "runtime/default_spec.h"

#include <initializer_list>

#include "core/base/json.h"
#include "core/spec/config.h"

namespace nsbox::runtime {
namespace {

using Texts = std::initializer_list<std::string_view>;

constexpr std::string_view kCapabilities[] = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};
// What tells of the host, or changes it, and is not a namespace's own.
constexpr std::string_view kMasked[] = {
    "/proc/acpi",       "/proc/asound",      "/proc/kcore",       "/proc/keys",    "/proc/latency_stats",
    "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi"};
constexpr std::string_view kReadOnly[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                          "/proc/sysrq-trigger"};

class SpecWriter {
 public:
  explicit SpecWriter(const std::optional<RootlessUser>& rootless) : rootless_(rootless) {}

  String write() {
    out_.begin_object();
    out_.key("ociVersion").string(kOciVersion);
    write_process();
    out_.key("root").begin_object();
    out_.key("path").string("rootfs");
    out_.key("readonly").boolean(true);
    out_.end_object();
    out_.key("hostname").string("nsbox");
    write_mounts();
    write_linux();
    out_.end_object();
    return out_.take();
  }

 private:
  template <typename List>
  void list(std::string_view name, const List& texts) {
    out_.key(name).begin_array();
    for (const std::string_view each : texts) out_.string(each);
    out_.end_array();
  }

  void write_process() {
    out_.key("process").begin_object();
    out_.key("terminal").boolean(true);
    out_.key("user").begin_object();
    out_.key("uid").number(0);
    out_.key("gid").number(0);
    out_.end_object();
    list("args", Texts{"sh"});
    list("env", Texts{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"});
    out_.key("cwd").string("/");
    out_.key("capabilities").begin_object();
    for (const std::string_view set : {"bounding", "effective", "permitted"}) list(set, kCapabilities);
    out_.end_object();
    write_rlimit();
    out_.key("noNewPrivileges").boolean(true);
    out_.end_object();
  }

  void write_rlimit() {
    out_.key("rlimits").begin_array();
    out_.begin_object();
    out_.key("type").string("RLIMIT_NOFILE");
    out_.key("hard").number(1024);
    out_.key("soft").number(1024);
    out_.end_object();
    out_.end_array();
  }

  void mount(std::string_view destination, std::string_view type, std::string_view source, Texts options) {
    out_.begin_object();
    out_.key("destination").string(destination);
    out_.key("type").string(type);
    out_.key("source").string(source);
    if (options.size()) list("options", options);
    out_.end_object();
  }

  void write_mounts() {
    out_.key("mounts").begin_array();
    mount("/proc", "proc", "proc", {});
    mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"});
    // The group of terminals is none that a map of one id has.
    if (rootless_)
      mount("/dev/pts", "devpts", "devpts",
            {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"});
    else
      mount("/dev/pts", "devpts", "devpts",
            {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"});
    mount("/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"});
    mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"});
    // A sysfs of its own goes with a network namespace of its own, which a rootless one does not get.
    if (rootless_)
      mount("/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"});
    else
      mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"});
    mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"});
    out_.end_array();
  }

  void mapping(std::string_view name, uint32_t host) {
    out_.key(name).begin_array();
    out_.begin_object();
    out_.key("containerID").number(0);
    out_.key("hostID").number(host);
    out_.key("size").number(1);
    out_.end_object();
    out_.end_array();
  }

  void write_device_rule() {
    out_.key("resources").begin_object();
    out_.key("devices").begin_array();
    out_.begin_object();
    out_.key("allow").boolean(false);
    out_.key("access").string("rwm");
    out_.end_object();
    out_.end_array();
    out_.end_object();
  }

  void namespaces(Texts types) {
    out_.key("namespaces").begin_array();
    for (const std::string_view type : types) {
      out_.begin_object();
      out_.key("type").string(type);
      out_.end_object();
    }
    out_.end_array();
  }

  void write_linux() {
    out_.key("linux").begin_object();
    if (rootless_) {
      mapping("uidMappings", rootless_->user);
      mapping("gidMappings", rootless_->group);
      namespaces({"pid", "ipc", "uts", "mount", "cgroup", "user"});
    } else {
      write_device_rule();
      namespaces({"pid", "network", "ipc", "uts", "mount", "cgroup"});
    }
    list("maskedPaths", kMasked);
    list("readonlyPaths", kReadOnly);
    out_.end_object();
  }

  const std::optional<RootlessUser>& rootless_;
  json::Writer out_;
};

}  // namespace

String default_spec(const std::optional<RootlessUser>& rootless) { return SpecWriter(rootless).write(); }

}  // namespace nsbox::runtime
