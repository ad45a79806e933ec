#pragma once

#include "core/base/error.h"

namespace nsbox {

// From here on, no exec gives this thread more than it has: no set-user-ID, no file capabilities. For ever.
Status set_no_new_privs();

}  // namespace nsbox
