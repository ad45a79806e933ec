#pragma once

#include "core/base/error.h"
#include "core/base/vector.h"
#include "core/cgroup/cgroup.h"

namespace nsbox::cgroup {

// The limits of a group at one moment, to be put back when new ones were refused half-way.
class LimitSnapshot {
 public:
  static LimitSnapshot take(const GroupSet& set);
  // As far as the kernel has it.
  void restore() const;

 private:
  struct Entry {
    int dir = -1;  // Of the set's, which must outlive this.
    const char* file = nullptr;
    String value;
  };
  Vector<Entry> entries_;
};

}  // namespace nsbox::cgroup
