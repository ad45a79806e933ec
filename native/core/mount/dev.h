#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>

#include "core/base/error.h"
#include "core/base/vector.h"
#include "core/sys/unique_fd.h"

// What a container finds in /dev: runtime-spec config-linux.md, "Default Devices" and "Devices".
namespace nsbox {

struct Device {
  std::string_view path;  // Absolute, inside the root.
  char type = 'c';        // 'c' 'b' 'u' 'p'
  uint32_t major = 0;
  uint32_t minor = 0;
  mode_t mode = 0666;
  uint32_t user = 0;
  uint32_t group = 0;
};

// null, zero, full, random, urandom, tty, and the links fd, stdin, stdout, stderr, ptmx, core, in the root's
// /dev. A node that this user may not make is a bind of the host's, checked to be that device.
Status make_default_devices(int root);
Status make_devices(int root, const Vector<Device>& devices);

// An O_PATH descriptor of the character device c 1:3, whatever the path holds: an error when it is another.
Status check_device(int fd, uint32_t major, uint32_t minor);

// Where the terminal of the first process is shown: the root's /dev/console, O_PATH, made when it is missing.
// The last name is never followed: a link there would lead a mount to the container's procfs
// (CVE-2025-52565).
Result<UniqueFd> make_console_place(int root);
// Shows the slave of a pseudo-terminal there, which must be one of this mount namespace.
Status bind_console(int place, int slave);

}  // namespace nsbox
