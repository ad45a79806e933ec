#pragma once

#include "core/container/plan.h"
#include "core/container/rootfs.h"
#include "core/container/start_process.h"

namespace nsbox {

// Makes new namespaces of these kinds; with a network comes its loopback interface.
Status make_namespaces(uint64_t flags);

// The container around PID 1: what `create` makes, this process then lives in.
class Box {
 public:
  // Each step names itself in its error. After a failure the process must end: it is half inside.
  static Result<Box> create(const Plan& plan);

  ProcessContext process_context() const;
  const Rootfs& rootfs() const { return rootfs_; }

 private:
  Box(const Plan& plan, Rootfs rootfs, CapabilityMask bounding)
      : plan_(&plan), rootfs_(std::move(rootfs)), bounding_(bounding) {}

  const Plan* plan_;
  Rootfs rootfs_;
  CapabilityMask bounding_;
};

}  // namespace nsbox
