#include "core/process/channel.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>

#include "core/sys/syscalls.h"

namespace nsbox {

Result<ChannelPair> make_channel() {
  int ends[2];
  auto made = sys::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends);
  if (!made) return made.error().while_doing("make a socket pair");
  ChannelPair pair{UniqueFd(ends[0]), UniqueFd(ends[1])};
  TRY(sys::fcntl(pair.ours.get(), F_SETFL, O_RDWR | O_NONBLOCK));
  return pair;
}

Status send_message(int channel, std::span<const std::string_view> pieces, std::span<const int> fds) {
  iovec parts[8];
  if (pieces.size() > 8 || fds.size() > kMaxMessageFds) return Error(EMSGSIZE);
  for (size_t i = 0; i < pieces.size(); i++)
    parts[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxMessageFds)];
  msghdr header = {};
  header.msg_iov = parts;
  header.msg_iovlen = pieces.size();
  if (!fds.empty()) {
    memset(control, 0, sizeof control);
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fds.size_bytes());
    memcpy(CMSG_DATA(rights), fds.data(), fds.size_bytes());
  }
  for (;;) {
    auto sent = sys::sendmsg(channel, &header, MSG_NOSIGNAL);
    if (sent) return Ok{};
    if (sent.err() != EINTR) return sent.error();
  }
}

namespace {

void take_descriptors(msghdr& header, Vector<UniqueFd>& out) {
  cmsghdr* rights = CMSG_FIRSTHDR(&header);
  if (!rights || rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS) return;
  const size_t count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  for (size_t i = 0; i < count; i++) {
    int fd;
    memcpy(&fd, CMSG_DATA(rights) + i * sizeof(int), sizeof fd);
    out.push_back(UniqueFd(fd));
  }
}

}  // namespace

Result<Message> receive_message(int channel, std::span<char> buffer) {
  const std::span<char> buffers[] = {buffer};
  return receive_message(channel, buffers);
}

Result<Message> receive_message(int channel, std::span<const std::span<char>> buffers) {
  iovec parts[8];
  if (buffers.size() > 8) return Error(EMSGSIZE);
  for (size_t i = 0; i < buffers.size(); i++) parts[i] = {buffers[i].data(), buffers[i].size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxMessageFds)];
  for (;;) {
    msghdr header = {};
    header.msg_iov = parts;
    header.msg_iovlen = buffers.size();
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    auto got = sys::recvmsg(channel, &header, 0);
    if (got.err() == EINTR) continue;
    if (got.err() == ECONNRESET) return Message{};  // Gone with messages of ours unread.
    if (!got) return got.error();
    Message message;
    message.size = *got;
    take_descriptors(header, message.fds);
    if (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) return Error(EMSGSIZE);
    return message;
  }
}

}  // namespace nsbox
