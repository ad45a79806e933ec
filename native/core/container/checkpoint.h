#pragma once

#include "core/container/criu.h"
#include "core/container/status.h"

namespace nsbox {

// Writes the images of a running or paused container. It is killed by that, unless told otherwise; its state
// stays.
Status checkpoint_container(const StateDirectory& directory, const CriuOptions& options);

}  // namespace nsbox
