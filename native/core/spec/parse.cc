#include "core/spec/parse.h"

#include "core/ns/namespaces.h"
#include "core/spec/check.h"
#include "core/spec/parts.h"

namespace nsbox {

const NamespaceSpec* Config::find_namespace(uint64_t flag) const {
  for (const NamespaceSpec& one : namespaces)
    if (one.flag == flag) return &one;
  return nullptr;
}

namespace {

Status read_mapping(const Reader& object, Vector<IdMapping>& out) {
  IdMapping one;
  TRY(object.read("containerID", one.container));
  TRY(object.read("hostID", one.host));
  TRY(object.read("size", one.size));
  if (!one.size) return object.refuse("size", "expected at least 1");
  out.push_back(one);
  return Ok{};
}

Status read_mount_mappings(const Reader& object, Mount& mount) {
  TRY(object.each_object("uidMappings",
                         [&](const Reader& one) { return read_mapping(one, mount.user_mappings); }));
  TRY(object.each_object("gidMappings",
                         [&](const Reader& one) { return read_mapping(one, mount.group_mappings); }));
  if (mount.user_mappings.empty() != mount.group_mappings.empty())
    return object.refuse("", "uidMappings and gidMappings go together");
  if (mount.user_mappings.empty()) return Ok{};
  if (!mount.bind) return object.refuse("uidMappings", "only a bind mount can be mapped");
  mount.idmap = true;
  return Ok{};
}

Status read_mount(const Reader& object, Config& out) {
  Mount mount;
  TRY(object.read("destination", mount.destination));
  TRY(object.read("type", mount.type));
  TRY(object.read("source", mount.source));
  Vector<std::string_view> options;
  TRY(object.read("options", options));
  for (std::string_view option : options) add_mount_option(mount, option);
  if (mount.type == "bind") mount.bind = true;
  if (mount.destination.empty()) return object.refuse("destination", "expected a path");
  if (!mount.bind && mount.type.empty())
    return object.refuse("type", "expected a file system type, or a bind option");
  if (mount.bind && mount.source.empty()) return object.refuse("source", "a bind mount wants a source");
  TRY(read_mount_mappings(object, mount));
  out.mounts.push_back(std::move(mount));
  return Ok{};
}

Status read_namespace(const Reader& object, Config& out) {
  std::string_view type;
  NamespaceSpec one;
  TRY(object.read("type", type));
  TRY(object.read("path", one.path));
  one.flag = namespace_flag(type);
  if (!one.flag) return object.refuse("type", format("unknown namespace ", type));
  if (!one.path.empty() && one.path[0] != '/') return object.refuse("path", "expected an absolute path");
  if (out.has_namespace(one.flag))
    return object.refuse("type", format("the namespace ", type, " stands twice"));
  out.namespaces.push_back(one);
  return Ok{};
}

Status read_device(const Reader& object, Config& out) {
  Device device;
  std::string_view type;
  TRY(object.read("path", device.path));
  TRY(object.read("type", type));
  TRY(object.read("major", device.major));
  TRY(object.read("minor", device.minor));
  TRY(object.read("fileMode", device.mode));
  TRY(object.read("uid", device.user));
  TRY(object.read("gid", device.group));
  if (type.size() != 1 || std::string_view("cbup").find(type[0]) == std::string_view::npos)
    return object.refuse("type", "expected one of c, b, u, p");
  if (device.path.empty() || device.path[0] != '/') return object.refuse("path", "expected an absolute path");
  if (type != "p")
    for (std::string_view field : {"major", "minor"})
      if (!object.has(field)) return object.refuse(field, "missing");
  device.type = type[0];
  device.mode &= 07777;
  out.devices.push_back(device);
  return Ok{};
}

const json::Value* object_or_null(const Reader& object, std::string_view field) {
  return object.has(field) ? object.value().find(field) : nullptr;
}

uint64_t propagation_of(std::string_view name) { return propagation_flags(name); }

Status read_linux(const Reader& linux_object, Config& out, Arena& arena) {
  TRY(linux_object.each_object("namespaces", [&](const Reader& one) { return read_namespace(one, out); }));
  TRY(linux_object.each_object("uidMappings",
                               [&](const Reader& one) { return read_mapping(one, out.user_mappings); }));
  TRY(linux_object.each_object("gidMappings",
                               [&](const Reader& one) { return read_mapping(one, out.group_mappings); }));
  TRY(linux_object.each_object("devices", [&](const Reader& one) { return read_device(one, out); }));
  TRY(linux_object.read("maskedPaths", out.masked_paths));
  TRY(linux_object.read("readonlyPaths", out.readonly_paths));
  TRY(linux_object.with_object("sysctl",
                               [&](const Reader& sysctls) { return read_sysctls(sysctls, out, arena); }));
  std::string_view propagation;
  TRY(linux_object.read("rootfsPropagation", propagation));
  out.rootfs_propagation = propagation_of(propagation);
  if (!propagation.empty() && !out.rootfs_propagation)
    return linux_object.refuse("rootfsPropagation", format("unknown propagation ", propagation));
  out.resources = object_or_null(linux_object, "resources");
  out.seccomp = object_or_null(linux_object, "seccomp");
  return read_linux_extras(linux_object, out);
}

}  // namespace

Result<Config> parse_box_config(const json::Value& document, Arena& arena) {
  const Reader top(document, "");
  TRY(top.expect_object());
  Config out;
  TRY(top.read("ociVersion", out.oci_version));
  if (const json::Value* process = document.find("process"); process && !process->is(json::Kind::kNull))
    out.process = TRY(parse_process(*process, "process"));
  TRY(top.with_object("root", [&](const Reader& root) -> Status {
    TRY(root.read("path", out.root_path));
    return root.read("readonly", out.root_readonly);
  }));
  TRY(top.read("hostname", out.hostname));
  TRY(top.read("domainname", out.domainname));
  TRY(top.each_object("mounts", [&](const Reader& mount) { return read_mount(mount, out); }));
  TRY(top.with_object("hooks", [&](const Reader& hooks) { return read_hooks(hooks, out.hooks); }));
  TRY(top.with_object("annotations",
                      [&](const Reader& texts) { return read_annotations(texts, out.annotations); }));
  TRY(top.with_object("linux",
                      [&](const Reader& linux_object) { return read_linux(linux_object, out, arena); }));
  return out;
}

Result<Config> parse_config(const json::Value& document, Arena& arena) {
  Config out = TRY(parse_box_config(document, arena));
  TRY(check_bundle(out));
  return out;
}

}  // namespace nsbox
