#include "core/container/new_container.h"

#include <algorithm>

#include "core/base/time_text.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

String rootfs_of(std::string_view bundle, std::string_view root) {
  if (root.starts_with('/')) return String(root);
  return format(bundle, bundle.ends_with('/') ? "" : "/", root);
}

Vector<StateAnnotation> annotations_of(const Config& config) {
  Vector<StateAnnotation> out;
  for (const Annotation& one : config.annotations) out.push_back({String(one.name), String(one.value)});
  std::sort(out.begin(), out.end(),
            [](const StateAnnotation& a, const StateAnnotation& b) { return a.name.view() < b.name.view(); });
  return out;
}

}  // namespace

State state_of(const NewContainer& request) {
  const Config& config = request.loaded->config;
  State out;
  out.id = String(request.id);
  out.oci_version = String(config.oci_version);
  out.bundle = String(request.bundle);
  out.rootfs = rootfs_of(request.bundle, config.root_path);
  out.created = time_text(sys::realtime_ns());
  out.owner = sys::geteuid();
  for (const NamespaceSpec& one : config.namespaces) out.namespaces |= one.flag;
  out.manager = request.manager;
  out.cgroups_path = String(config.cgroups_path);
  out.has_poststart = !config.hooks.poststart.empty();
  out.has_poststop = !config.hooks.poststop.empty();
  out.annotations = annotations_of(config);
  return out;
}

GroupRequest groups_of(const NewContainer& request, pid_t init) {
  return {.manager = request.manager,
          .id = request.id,
          .config = &request.loaded->config,
          .init = init,
          .bus = request.bus,
          .environment = request.environment};
}

}  // namespace nsbox
