#pragma once

#include <sys/types.h>

#include <span>

#include "core/ns/id_map.h"

namespace nsbox {

// Writes the id maps of a process in a new user namespace: by itself where this user may, by newuidmap(1) and
// newgidmap(1) for the ranges of /etc/subuid and /etc/subgid, and for an ordinary user's own id alone with
// setgroups denied.
Status map_ids_of(pid_t pid, std::span<const IdMapping> users, std::span<const IdMapping> groups);

}  // namespace nsbox
