#pragma once

#include "core/container/criu.h"
#include "core/container/new_container.h"

namespace nsbox {

struct RestoreRequest : NewContainer {
  CriuOptions criu;
};

struct RestoredContainer {
  StateDirectory directory;
  State state;
  UniqueFd pidfd;
};

// A container from the images of a checkpoint: it runs on where it was. Our own standard streams take the
// place of those that it had. A failure leaves nothing behind.
Result<RestoredContainer> restore_container(const RestoreRequest& request);

}  // namespace nsbox
