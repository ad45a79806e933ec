#pragma once

#include <sys/types.h>

// Where processors share no cache, as in many virtual machines, Linux mostly starts a new process on its
// creator's processor, though another is idle: what could be done by both at once is done by one after the
// other.
namespace nsbox {

// Keeps a process that has just been made off this processor, and says whether it did: not where there is
// only one, or where the caller itself is confined to some.
bool place_elsewhere(pid_t child);
// What the process does in its turn, before anything else is said of its processors.
void allow_all_processors();

}  // namespace nsbox
