#pragma once

#include <string_view>

#include "core/base/error.h"

namespace nsbox {

// What the kernel's dev_valid_name() lets through.
bool is_net_device_name(std::string_view name);

// Moves a network device of this network namespace into another: runtime-spec config-linux.md, "Network
// Devices". There it is called `new_name` ("eth%d": with the first number that is free), has its permanent
// global addresses again, and is up. A name that is taken there is EEXIST, and nothing has moved then. For a
// caller with one thread.
Status move_net_device(std::string_view host_name, std::string_view new_name, int network_namespace);

}  // namespace nsbox
