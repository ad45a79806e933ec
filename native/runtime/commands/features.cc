#include <algorithm>

#include "core/base/json.h"
#include "core/mount/mount.h"
#include "core/ns/namespaces.h"
#include "core/security/capabilities.h"
#include "core/security/scheduling.h"
#include "core/security/seccomp_install.h"
#include "core/security/seccomp_names.h"
#include "core/spec/config.h"
#include "runtime/json_text.h"
#include "runtime/verb.h"

// runtime-spec features.md. What can be told from the tables that do the work is.
namespace nsbox::runtime {
namespace {

// Each lets a configuration's author reach beyond the container: an engine must not pass them on from its
// users unseen. One that ends in a dot stands for all that begin so.
constexpr std::string_view kUnsafeAnnotations[] = {
    "org.criu.config",          "org.systemd.property.",    "run.oci.delegate-cgroup",
    "run.oci.hooks.stderr",     "run.oci.hooks.stdout",     "run.oci.keep_original_groups",
    "run.oci.pidfd_receiver",   "run.oci.seccomp.receiver", "run.oci.seccomp_fail_unknown_syscall",
    "run.oci.systemd.subgroup",
};

class FeaturesWriter {
 public:
  String write() {
    out_.begin_object();
    out_.key("ociVersionMin").string("1.0.0");
    out_.key("ociVersionMax").string(kOciVersion);
    list("hooks", hook_names());
    list("mountOptions", mount_option_names());
    out_.key("linux").begin_object();
    write_linux();
    out_.end_object();
    out_.key("annotations").begin_object();
    out_.key("org.opencontainers.runc.checkpoint.enabled").string("true");
    out_.key("run.nsbox.version").string(NSBOX_VERSION);
    out_.end_object();
    list("potentiallyUnsafeConfigAnnotations", kUnsafeAnnotations);
    out_.end_object();
    return out_.take();
  }

 private:
  template <typename Names>
  void list(std::string_view name, const Names& names) {
    out_.key(name).begin_array();
    for (const auto& each : names) out_.string(each);
    out_.end_array();
  }

  void sorted_list(std::string_view name, std::span<const std::string_view> names) {
    Vector<std::string_view> sorted(names.begin(), names.end());
    std::sort(sorted.begin(), sorted.end());
    list(name, sorted);
  }

  void enabled(std::string_view name) {
    out_.key(name).begin_object();
    out_.key("enabled").boolean(true);
    out_.end_object();
  }

  void write_linux() {
    list("namespaces", namespace_types());
    write_capabilities();
    write_cgroup();
    write_seccomp();
    enabled("apparmor");
    enabled("selinux");
    write_intel_rdt();
    write_memory_policy();
    out_.key("mountExtensions").begin_object();
    enabled("idmap");
    out_.end_object();
    enabled("netDevices");
  }

  void write_capabilities() {
    out_.key("capabilities").begin_array();
    for (unsigned number = 0; number < kNamedCapabilities; number++) out_.string(capability_name(number));
    out_.end_array();
  }

  void write_cgroup() {
    out_.key("cgroup").begin_object();
    for (const std::string_view name : {"v1", "v2", "systemd", "systemdUser", "rdma"})
      out_.key(name).boolean(true);
    out_.end_object();
  }

  void write_seccomp() {
    out_.key("seccomp").begin_object();
    out_.key("enabled").boolean(true);
    sorted_list("actions", seccomp_action_names());
    sorted_list("operators", seccomp_operator_names());
    sorted_list("archs", seccomp_architecture_names());
    sorted_list("knownFlags", seccomp_flag_names());
    const uint32_t has = supported_seccomp_flags();
    Vector<std::string_view> supported;
    for (const std::string_view name : seccomp_flag_names())
      if (seccomp_flag_of(name).value_or(0) & has) supported.push_back(name);
    sorted_list("supportedFlags", supported);
    out_.end_object();
  }

  void write_intel_rdt() {
    out_.key("intelRdt").begin_object();
    for (const std::string_view name : {"enabled", "schemata", "monitoring"}) out_.key(name).boolean(true);
    out_.end_object();
  }

  void write_memory_policy() {
    out_.key("memoryPolicy").begin_object();
    list("modes", memory_policy_modes());
    list("flags", memory_policy_flags());
    out_.end_object();
  }

  json::Writer out_;
};

Result<int> run(Globals&, const Arguments& arguments) {
  if (!arguments.operands().empty()) return usage_error("unexpected argument: ", arguments.operand(0));
  TRY(print(indented_json(FeaturesWriter().write())));
  return 0;
}

}  // namespace

const Verb kFeatures = {"features", "", "tell what this runtime can do", {}, Operands::kMixed, run};

}  // namespace nsbox::runtime
