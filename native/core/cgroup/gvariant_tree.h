#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/error.h"
#include "core/base/vector.h"

// A text of GVariant's, taken apart; what types its numbers have is not known yet.
namespace nsbox::cgroup {

enum class GVariantKind : uint8_t {
  kBoolean,
  kNumber,
  kReal,
  kText,
  kBytes,
  kArray,
  kTuple,
  kDictionary,
  kVariant
};

struct GVariant {
  GVariantKind kind = GVariantKind::kTuple;
  String type;  // As the text says before the value ("uint64", "@as"), in D-Bus's letters; empty where it
                // does not.
  bool negative = false;
  uint64_t number = 0;  // Its magnitude; 1 is true.
  double real = 0;
  String text;
  Vector<GVariant> inside;  // Of a dictionary: key, value, key, value.
};

// The whole text as one value.
Result<GVariant> parse_gvariant(std::string_view text);

}  // namespace nsbox::cgroup
