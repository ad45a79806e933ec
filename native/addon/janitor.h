#pragma once

#include <string_view>

#include "core/base/error.h"
#include "core/container/janitor_protocol.h"

namespace nsbox::addon {

// Hands the janitor one more thing to remove once this process is gone: the entry `name` of the directory.
Status send_charge(int janitor, const JanitorCharge& charge, std::string_view name, int directory);

}  // namespace nsbox::addon
