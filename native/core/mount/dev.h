#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>

#include "core/base/error.h"
#include "core/base/vector.h"

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

// null, zero, full, random, urandom, tty, and the links fd, stdin, stdout, stderr, ptmx, in the root's /dev.
// A node that this user may not make is a bind of the host's, checked to be that device.
Status make_default_devices(int root);
Status make_devices(int root, const Vector<Device>& devices);

// An O_PATH descriptor of the character device c 1:3, whatever the path holds: an error when it is another.
Status check_device(int fd, uint32_t major, uint32_t minor);

}  // namespace nsbox
