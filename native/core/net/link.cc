#include "core/net/link.h"

#include <linux/if.h>
#include <linux/sockios.h>
#include <sys/socket.h>

#include <cstring>

#include "core/sys/syscalls.h"

namespace nsbox {

Status bring_loopback_up() {
  auto socket = sys::socket(AF_INET, SOCK_DGRAM, 0);
  if (!socket) return socket.error().while_doing("bring the loopback interface up");
  ifreq request = {};
  memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  auto done = sys::ioctl(socket->get(), SIOCSIFFLAGS, &request);
  if (!done) return done.error().while_doing("bring the loopback interface up");
  return Ok{};
}

}  // namespace nsbox
