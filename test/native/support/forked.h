#pragma once

#include <sys/types.h>

#include <functional>
#include <initializer_list>

#include "test.h"

namespace nsbox::test {

// Runs the body in a process of its own; what fails there fails the test.
void in_fork(const std::function<void()>& body);
// The same with a mount namespace of its own, as root. The body finds a tmpfs on /tmp.
void in_mount_namespace(const std::function<void()>& body);
// The same as an ordinary user who is root in a user namespace of their own.
void in_user_namespace(const std::function<void()>& body);

inline constexpr unsigned kOrdinaryUser = 65534;
// Becomes that user, for good.
void become_ordinary();
bool is_privileged();

// From here on these system calls of this process answer `err`: how an older kernel is played.
void refuse_calls(std::initializer_list<int> numbers, int err);

// Waits for the end of a child: its exit status, or 128 + the signal.
int exit_status_of(pid_t pid);

}  // namespace nsbox::test
