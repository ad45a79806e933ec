#pragma once

#include "core/base/string.h"

namespace nsbox::runtime {

// The same document in lines for people, with two blanks a level unless told, as runc prints it; a newline
// behind it.
String indented_json(std::string_view compact, std::string_view indent = "  ");

}  // namespace nsbox::runtime
