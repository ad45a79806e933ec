#pragma once

namespace nsbox {

// The life of a box's PID 1, from the plan on `channel` to its end: makes the box, starts what it is asked
// to, reaps what is orphaned, and reports. It ends when its first process does (unless held), or when the
// starter is gone; the kernel then ends all that is left in the box. Returns its exit status.
int run_init(int channel);

}  // namespace nsbox
