#include "core/container/plan.h"

#include "core/spec/parse.h"
#include "core/spec/reader.h"

namespace nsbox {
namespace {

Status read_root_kind(const Reader& plan, RootKind& out) {
  std::string_view kind = "bind";
  TRY(plan.read("root", kind));
  if (kind == "overlay")
    out = RootKind::kOverlay;
  else if (kind == "split")
    out = RootKind::kSplit;
  else if (kind != "bind")
    return plan.refuse("root", "expected bind, overlay or split");
  return Ok{};
}

Status read_id_maps(const Reader& plan, IdMaps& out) {
  std::string_view how = "none";
  TRY(plan.read("idMaps", how));
  if (how == "self")
    out = IdMaps::kSelf;
  else if (how == "wait")
    out = IdMaps::kWait;
  else if (how != "none")
    return plan.refuse("idMaps", "expected none, self or wait");
  return Ok{};
}

// The next descriptor of the message belongs to each hierarchy in turn.
Status read_cgroup(const Reader& group, Plan& out, Vector<UniqueFd>& fds, size_t& used) {
  TRY(group.read("name", out.cgroup_name));
  uint32_t join = 0;
  TRY(group.read("join", join));
  out.cgroup_join = cgroup::Controllers::from_bits(join);
  return group.each_object("parents", [&](const Reader& entry) -> Status {
    uint32_t controllers = 0, version = 1;
    TRY(entry.read("controllers", controllers));
    TRY(entry.read("version", version));
    if (used == fds.size()) return entry.refuse("", "its descriptor is missing");
    cgroup::Hierarchy hierarchy;
    hierarchy.controllers = cgroup::Controllers::from_bits(controllers);
    hierarchy.version = version == 2 ? cgroup::Version::kV2 : cgroup::Version::kV1;
    hierarchy.dir = std::move(fds[used++]);
    out.cgroup_parents.hierarchies.push_back(std::move(hierarchy));
    return Ok{};
  });
}

Status read_snapshot(const Reader& entry, Vector<SnapshotLayers>& out) {
  SnapshotLayers one;
  TRY(entry.read("target", one.target));
  TRY(entry.read("lowers", one.lowers));
  out.push_back(std::move(one));
  return Ok{};
}

}  // namespace

Result<Plan> parse_plan(std::string_view text, std::span<const sock_filter> filter, Vector<UniqueFd> fds,
                        Arena& arena) {
  const json::Value document = TRY(json::parse(text, arena));
  const Reader plan(document, "plan");
  TRY(plan.expect_object());
  Plan out;
  const json::Value* config = document.find("config");
  if (!config) return plan.refuse("config", "missing");
  out.config = TRY(parse_box_config(*config, arena));
  TRY(read_root_kind(plan, out.root));
  TRY(read_id_maps(plan, out.id_maps));
  TRY(plan.read("hold", out.hold));
  TRY(plan.read("start", out.start));
  TRY(plan.read("scratchSize", out.scratch_size));
  TRY(plan.read("scratchPath", out.scratch_path));
  TRY(plan.read("clampCapabilities", out.clamp_capabilities));
  TRY(plan.read("makeCwd", out.make_cwd));
  TRY(plan.each_object("snapshots",
                       [&](const Reader& entry) { return read_snapshot(entry, out.snapshots); }));
  size_t used = 0;
  TRY(plan.with_object("cgroup", [&](const Reader& group) { return read_cgroup(group, out, fds, used); }));
  for (; used < fds.size(); used++) out.stdio.push_back(std::move(fds[used]));
  out.filter = filter;
  return out;
}

}  // namespace nsbox
