#pragma once

#include <string_view>

#include "core/base/error.h"
#include "core/base/vector.h"

// The kernel's resctrl file system: shares of caches and of memory bandwidth, a directory a class of service.
// Documented in the kernel's Documentation/filesystems/resctrl.rst.
namespace nsbox::cgroup {

// runtime-spec config-linux.md, "IntelRdt"
struct IntelRdt {
  std::string_view clos_id;  // The class of service; empty: one of the container's own; "/": the default one.
  std::string_view l3_cache_schema;
  std::string_view mem_bw_schema;
  Vector<std::string_view> schemata;  // Written last.
  bool enable_monitoring = false;     // A monitoring group of the container's own.
  bool enable_cmt = false;            // Until 1.2: wants the machine to have them.
  bool enable_mbm = false;
};

// Makes the container's class where it must be made, and puts the process into it.
Status apply_intel_rdt(const IntelRdt& rdt, std::string_view container_id, int pid);
// New shares for the class that the container is in already.
Status change_intel_rdt(const IntelRdt& rdt, std::string_view container_id);
// Removes what apply_intel_rdt made for this container alone; gone is fine.
Status remove_intel_rdt(const IntelRdt& rdt, std::string_view container_id);

// The lines for the file schemata, each with its end.
String schemata_of(const IntelRdt& rdt);
// Whether the file `present`, as the kernel writes it, has every value that the lines `wanted` name.
bool schemata_agree(std::string_view present, std::string_view wanted);

}  // namespace nsbox::cgroup
