#pragma once

#include "core/base/error.h"

namespace nsbox {

// Brings "lo" of this network namespace up; the kernel gives it 127.0.0.1 and ::1 by itself.
Status bring_loopback_up();

}  // namespace nsbox
