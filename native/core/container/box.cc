#include "core/container/box.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <linux/prctl.h>
#include <linux/sched.h>

#include <cerrno>

#include "core/container/steps.h"
#include "core/net/link.h"
#include "core/ns/namespaces.h"
#include "core/security/keyring.h"
#include "core/spec/resources.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

// These two exist since the clone: a process can enter neither by unshare.
constexpr uint64_t kMadeByClone = CLONE_NEWPID | CLONE_NEWUSER;

Status write_id_maps(const Plan& plan) {
  if (plan.id_maps != IdMaps::kSelf) return Ok{};
  auto done = write_own_id_maps(plan.config.user_mappings, plan.config.group_mappings);
  if (!done) return done.error().while_doing("map the ids of the user namespace");
  return Ok{};
}

// From here on nothing of the box can look into this process or trace it.
Status close_to_the_box() {
  TRY(sys::prctl(PR_SET_DUMPABLE, 0));
  return Ok{};
}

Status enter_cgroups(const Plan& plan) {
  if (plan.cgroup_name.empty()) return Ok{};
  cgroup::Limits limits;
  if (plan.config.resources) limits = TRY(parse_resources(*plan.config.resources));
  const cgroup::Controllers wanted = plan.cgroup_join | cgroup::needed_controllers(limits);
  const String name(plan.cgroup_name);
  cgroup::GroupSet group = TRY(cgroup::create_group(plan.cgroup_parents, name.c_str(), wanted));
  TRY(cgroup::apply_limits(group, limits));
  return cgroup::attach_self(group);
}

Status enter_namespaces(const Plan& plan) {
  uint64_t fresh = 0;
  for (const NamespaceSpec& one : plan.config.namespaces) {
    if (one.flag & kMadeByClone) continue;
    if (one.path.empty())
      fresh |= one.flag;
    else
      TRY(join_namespace(one.path, one.flag));
  }
  if (plan.prepared & ~fresh) return Error::invalid("plan: prepared with namespaces that it does not want");
  return make_namespaces(fresh & ~plan.prepared);
}

// Init keeps what the box's processes may have, and what changing into them takes; the rest is gone for good.
Result<CapabilityMask> drop_privileges(const Plan& plan) {
  constexpr CapabilityMask kNeeded = CapabilityMask{1} << CAP_SETUID | CapabilityMask{1} << CAP_SETGID |
                                     CapabilityMask{1} << CAP_SETPCAP | CapabilityMask{1} << CAP_KILL |
                                     CapabilityMask{1} << CAP_CHOWN | CapabilityMask{1} << CAP_DAC_OVERRIDE |
                                     CapabilityMask{1} << CAP_SYS_RESOURCE;
  constexpr CapabilityMask kAll = ~CapabilityMask{0};
  CapabilityMask allowed = kAll;
  if (plan.config.process) {
    allowed = plan.config.process->capabilities.bounding | kNeeded;
    // Without no_new_privs a filter takes this capability to install; start_process drops it right after.
    if (!plan.filter.empty() && !plan.config.process->no_new_privileges)
      allowed |= CapabilityMask{1} << CAP_SYS_ADMIN;
  }
  // Of the others it makes no difference whether they are there to be dropped: none is asked for.
  const CapabilityMask kept = TRY(bounding_capabilities(allowed));
  TRY(drop_bounding(kept, kAll));
  TRY(set_capabilities(
      {.bounding = kept, .effective = kept, .inheritable = 0, .permitted = kept, .ambient = 0}));
  return kept;
}

Status named(std::string_view step, Status done) {
  if (!done) return done.error().while_doing(step);
  return done;
}

}  // namespace

Status make_namespaces(uint64_t flags) {
  auto done = sys::unshare(flags);
  if (!done) return done.error().while_doing("make the namespaces");
  return flags & CLONE_NEWNET ? bring_loopback_up() : Status(Ok{});
}

Result<Box> Box::create(const Plan& plan) {
  TRY(write_id_maps(plan));
  TRY(close_to_the_box());
  TRY(named("cgroup", enter_cgroups(plan)));
  TRY(enter_namespaces(plan));
  TRY(name_the_host(plan.config));
  TRY(join_session_keyring("_nsbox"));
  Rootfs rootfs = TRY(enter_rootfs(plan));
  TRY(set_sysctls(plan.config, rootfs.sysctls.get()));
  const CapabilityMask bounding = TRY(drop_privileges(plan));
  return Box(plan, std::move(rootfs), bounding);
}

ProcessContext Box::process_context() const {
  return {.root = rootfs_.root.get(),
          .proc = rootfs_.proc.get(),
          .filter = plan_->filter,
          .filter_options = {},
          .bounding = bounding_,
          .clamp_capabilities = plan_->clamp_capabilities};
}

}  // namespace nsbox
