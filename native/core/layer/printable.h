#pragma once

#include <string_view>

#include "core/base/string.h"

namespace nsbox {

// A name out of an archive as an error may show it: control characters escaped, and not without end.
String printable(std::string_view name);

}  // namespace nsbox
