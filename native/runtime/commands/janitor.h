#pragma once

namespace nsbox::runtime {

// One a Node process: waits for the end of the process that holds the other side of `channel`, then removes
// the groups and directories that it was told of. Nothing that is killed can do that for itself.
int run_janitor(int channel);

}  // namespace nsbox::runtime
