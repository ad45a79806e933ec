#pragma once

#include <span>

#include "core/base/error.h"
#include "core/base/string.h"
#include "core/mount/overlay.h"
#include "core/sys/unique_fd.h"

// Overlays of many layers where the kernel does not take them one by one: by names that are as short as a
// name can be.
namespace nsbox {

// As long as it lives, this process is in /proc/self/fd, where each of its descriptors has its number for a
// name.
class InDescriptors {
 public:
  InDescriptors();
  InDescriptors(const InDescriptors&) = delete;
  ~InDescriptors();

 private:
  UniqueFd before_;
};

// "12:13:14".
String list_of_lowers(std::span<const int> lowers);

// The same as make_overlay, by mount(2), whose options are one page: some 800 layers.
Result<UniqueFd> make_overlay_by_page(const OverlayOptions& options);

}  // namespace nsbox
