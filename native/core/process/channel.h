#pragma once

#include <span>

#include "core/base/error.h"
#include "core/base/vector.h"
#include "core/sys/unique_fd.h"

// A SOCK_SEQPACKET pair: messages keep their bounds, carry descriptors, and end with the other side's life.
namespace nsbox {

inline constexpr size_t kMaxMessage = size_t{96} * 1024;
inline constexpr size_t kMaxMessageFds = 64;

struct ChannelPair {
  UniqueFd ours;    // Non-blocking, for an event loop.
  UniqueFd theirs;  // Blocking.
};
Result<ChannelPair> make_channel();

struct Message {
  size_t size = 0;  // 0: the other side is gone.
  Vector<UniqueFd> fds;
};

// One message from the pieces, with the descriptors; EAGAIN when a non-blocking side is full.
Status send_message(int channel, std::span<const std::string_view> pieces, std::span<const int> fds);
// The next message into the buffer, or into one after the other; EMSGSIZE when it did not fit. Its
// descriptors are close-on-exec.
Result<Message> receive_message(int channel, std::span<char> buffer);
Result<Message> receive_message(int channel, std::span<const std::span<char>> buffers);

}  // namespace nsbox
