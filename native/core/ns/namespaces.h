#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/error.h"

namespace nsbox {

// The CLONE_NEW* flag of a runtime-spec namespace type ("pid", "network", "mount" …); 0 for another text.
uint64_t namespace_flag(std::string_view type);

// All the types, in alphabetical order.
std::span<const std::string_view> namespace_types();

// Joins the namespace that the path names, checked to be of that kind.
Status join_namespace(std::string_view path, uint64_t flag);

}  // namespace nsbox
