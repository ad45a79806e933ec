#include "core/cgroup/limit_writer.h"

namespace nsbox::cgroup {

namespace {

String on_device(uint32_t major, uint32_t minor, std::string_view value) {
  return format(major, ':', minor, ' ', value);
}

// --- v1: the files have the scheduler's name since CFQ is gone ---

Status set_weights_v1(const Hierarchy& group, const BlockIoLimits& io) {
  if (io.weight)
    TRY(set_first_limit(group, "block IO weight", {"blkio.bfq.weight", "blkio.weight"}, format(*io.weight)));
  if (io.leaf_weight)
    TRY(set_limit(group, "block IO leaf weight", "blkio.leaf_weight", format(*io.leaf_weight)));
  for (const WeightDevice& each : io.weight_device) {
    if (each.weight)
      TRY(set_first_limit(group, "block IO weight of a device",
                          {"blkio.bfq.weight_device", "blkio.weight_device"},
                          on_device(each.major, each.minor, format(*each.weight))));
    if (each.leaf_weight)
      TRY(set_limit(group, "block IO leaf weight of a device", "blkio.leaf_weight_device",
                    on_device(each.major, each.minor, format(*each.leaf_weight))));
  }
  return Ok{};
}

Status throttle_v1(const Hierarchy& group, const Vector<ThrottleDevice>& devices, const char* file) {
  for (const ThrottleDevice& each : devices)
    TRY(set_limit(group, "block IO throttle", file, on_device(each.major, each.minor, format(each.rate))));
  return Ok{};
}

Status apply_v1(const Hierarchy& group, const BlockIoLimits& io) {
  TRY(set_weights_v1(group, io));
  TRY(throttle_v1(group, io.read_bps, "blkio.throttle.read_bps_device"));
  TRY(throttle_v1(group, io.write_bps, "blkio.throttle.write_bps_device"));
  TRY(throttle_v1(group, io.read_iops, "blkio.throttle.read_iops_device"));
  return throttle_v1(group, io.write_iops, "blkio.throttle.write_iops_device");
}

// --- v2 ---

// io.bfq.weight has v1's range; io.weight, which other kernels have instead, its own.
Status set_weight_v2(const Hierarchy& group, std::string_view limit, uint16_t weight,
                     std::string_view device) {
  auto bfq = set_limit(group, limit, "io.bfq.weight", format(device, weight));
  if (bfq.err() != ENOENT) return bfq;
  return set_limit(group, limit, "io.weight", format(device, io_weight(weight)));
}

Status set_weights_v2(const Hierarchy& group, const BlockIoLimits& io) {
  if (io.weight) TRY(set_weight_v2(group, "block IO weight", *io.weight, ""));
  for (const WeightDevice& each : io.weight_device) {
    if (each.leaf_weight) return not_in_v2("block IO leaf weight of a device");
    if (each.weight)
      TRY(set_weight_v2(group, "block IO weight of a device", *each.weight,
                        on_device(each.major, each.minor, "")));
  }
  return Ok{};
}

Status throttle_v2(const Hierarchy& group, const Vector<ThrottleDevice>& devices, std::string_view key) {
  for (const ThrottleDevice& each : devices) {
    const String rate = each.rate ? format(each.rate) : String("max");  // v1's 0 takes a limit away.
    TRY(set_limit(group, "block IO throttle", "io.max",
                  on_device(each.major, each.minor, format(key, '=', rate))));
  }
  return Ok{};
}

Status apply_v2(const Hierarchy& group, const BlockIoLimits& io) {
  if (io.leaf_weight) return not_in_v2("block IO leaf weight");
  TRY(set_weights_v2(group, io));
  TRY(throttle_v2(group, io.read_bps, "rbps"));
  TRY(throttle_v2(group, io.write_bps, "wbps"));
  TRY(throttle_v2(group, io.read_iops, "riops"));
  return throttle_v2(group, io.write_iops, "wiops");
}

}  // namespace

uint64_t io_weight(uint64_t weight) {
  if (weight < 10) weight = 10;
  if (weight > 1000) weight = 1000;
  return 1 + (weight - 10) * 9999 / 990;
}

bool limits_block_io(const BlockIoLimits& io) {
  return io.weight || io.leaf_weight || !io.weight_device.empty() || !io.read_bps.empty() ||
         !io.write_bps.empty() || !io.read_iops.empty() || !io.write_iops.empty();
}

Status apply_block_io(const GroupSet& set, const BlockIoLimits& io) {
  if (!limits_block_io(io)) return Ok{};
  const Hierarchy* group = TRY(hierarchy_for(set, Controller::kBlkio, "block IO limits"));
  return group->version == Version::kV1 ? apply_v1(*group, io) : apply_v2(*group, io);
}

}  // namespace nsbox::cgroup
