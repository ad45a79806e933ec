#include "core/cgroup/controllers.h"

#include <array>

namespace nsbox::cgroup {

namespace {
constexpr std::array<std::string_view, kControllerCount> kNames = {
    "cpu",     "cpuacct", "cpuset",  "memory",   "pids",       "devices", "freezer", "blkio",
    "hugetlb", "rdma",    "net_cls", "net_prio", "perf_event", "misc",    "unified"};
}

std::string_view name_of(Controller controller, Version version) {
  if (controller == Controller::kBlkio && version == Version::kV2) return "io";
  return kNames[static_cast<size_t>(controller)];
}

std::optional<Controller> controller_named(std::string_view name) {
  if (name == "io") return Controller::kBlkio;
  for (size_t i = 0; i < kNames.size(); i++)
    if (kNames[i] == name) return static_cast<Controller>(i);
  return std::nullopt;
}

String names_of(Controllers set, Version version) {
  String text;
  for_each(set, [&](Controller each) { append(text, text.empty() ? "" : ", ", name_of(each, version)); });
  return text;
}

}  // namespace nsbox::cgroup
