#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "core/base/string.h"

namespace nsbox::cgroup {

// A controller, by its v1 name; v2 calls blkio "io". kUnified is the v2 hierarchy itself: kill, freeze,
// population events and CLONE_INTO_CGROUP, also where (hybrid) it has no controller.
enum class Controller : uint8_t {
  kCpu,
  kCpuacct,
  kCpuset,
  kMemory,
  kPids,
  kDevices,
  kFreezer,
  kBlkio,
  kHugetlb,
  kRdma,
  kNetCls,
  kNetPrio,
  kPerfEvent,
  kMisc,
  kUnified,
};
inline constexpr unsigned kControllerCount = 15;

enum class Version : uint8_t { kV1, kV2 };

std::string_view name_of(Controller controller, Version version = Version::kV1);
// By its v1 or v2 name.
std::optional<Controller> controller_named(std::string_view name);

// A set of controllers; its bits may cross a process boundary.
class Controllers {
 public:
  constexpr Controllers() = default;
  constexpr Controllers(std::initializer_list<Controller> list) {
    for (const Controller each : list) add(each);
  }
  static constexpr Controllers from_bits(uint32_t bits) {
    Controllers set;
    set.bits_ = bits & ((1U << kControllerCount) - 1);
    return set;
  }
  static constexpr Controllers all() { return from_bits(~0U); }

  constexpr uint32_t bits() const { return bits_; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool has(Controller each) const { return bits_ >> static_cast<unsigned>(each) & 1; }
  constexpr bool has_all(Controllers others) const { return (others.bits_ & ~bits_) == 0; }
  constexpr bool has_any(Controllers others) const { return (others.bits_ & bits_) != 0; }
  constexpr void add(Controller each) { bits_ |= 1U << static_cast<unsigned>(each); }
  // No popcount instruction can be counted on, and libgcc is not linked.
  constexpr unsigned count() const {
    unsigned number = 0;
    for (uint32_t rest = bits_; rest; rest &= rest - 1) number++;
    return number;
  }

  friend constexpr Controllers operator|(Controllers a, Controllers b) {
    return from_bits(a.bits_ | b.bits_);
  }
  friend constexpr Controllers operator&(Controllers a, Controllers b) {
    return from_bits(a.bits_ & b.bits_);
  }
  friend constexpr Controllers operator-(Controllers a, Controllers b) {
    return from_bits(a.bits_ & ~b.bits_);
  }
  friend constexpr bool operator==(Controllers, Controllers) = default;

 private:
  uint32_t bits_ = 0;
};

// Calls `body(Controller)` for each one in the set.
template <typename Body>
void for_each(Controllers set, const Body& body) {
  for (unsigned i = 0; i < kControllerCount; i++)
    if (set.has(static_cast<Controller>(i))) body(static_cast<Controller>(i));
}

// "memory, pids": for messages.
String names_of(Controllers set, Version version = Version::kV1);

}  // namespace nsbox::cgroup
