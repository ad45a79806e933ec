#include "core/process/channel.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "support/workspace.h"

using namespace nsbox;
using namespace nsbox::test;

TEST("channel: messages keep their bounds, in order, pieces joined") {
  MUST(pair, make_channel());
  const std::string_view first[] = {"one ", "", "message"}, second[] = {"another"};
  EXPECT(send_message(pair.ours.get(), first, {}));
  EXPECT(send_message(pair.ours.get(), second, {}));
  char buffer[64];
  MUST(one, receive_message(pair.theirs.get(), buffer));
  EXPECT_EQ(std::string_view(buffer, one.size), std::string_view("one message"));
  MUST(two, receive_message(pair.theirs.get(), buffer));
  EXPECT_EQ(std::string_view(buffer, two.size), std::string_view("another"));
}

TEST("channel: descriptors come along, close-on-exec") {
  MUST(pair, make_channel());
  const Workspace work;
  work.file("a", "content");
  const UniqueFd file(openat(work.fd(), "a", O_RDONLY));
  const int fds[] = {file.get(), file.get()};
  const std::string_view text[] = {"x"};
  EXPECT(send_message(pair.theirs.get(), text, fds));
  char buffer[8];
  MUST(got, receive_message(pair.ours.get(), buffer));
  EXPECT_EQ(got.fds.size(), size_t{2});
  EXPECT_EQ(fcntl(got.fds[0].get(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(read_fd(got.fds[1].get()), "content");
}

TEST("channel: carries as many descriptors and bytes as it says, and no more") {
  MUST(pair, make_channel());
  const std::vector<int> most(kMaxMessageFds, pair.ours.get()), more(kMaxMessageFds + 1, pair.ours.get());
  const std::string large(kMaxMessage, 'x');
  const std::string_view text[] = {large};
  EXPECT_EQ(told(send_message(pair.ours.get(), text, most)), "ok");
  EXPECT_EQ(code_of(send_message(pair.ours.get(), text, more)), "EMSGSIZE");
  const std::vector<std::string_view> pieces(9, "x");
  EXPECT_EQ(code_of(send_message(pair.ours.get(), pieces, {})), "EMSGSIZE");
  std::vector<char> buffer(kMaxMessage);
  MUST(got, receive_message(pair.theirs.get(), buffer));
  EXPECT(got.size == kMaxMessage && got.fds.size() == kMaxMessageFds);
}

TEST("channel: a message too long for the buffer is an error, and its descriptors are closed") {
  MUST(pair, make_channel());
  const int fds[] = {pair.ours.get()};
  const std::string_view text[] = {"longer than the buffer"};
  EXPECT(send_message(pair.ours.get(), text, fds));
  const size_t before = open_descriptors();
  char buffer[4];
  EXPECT_EQ(code_of(receive_message(pair.theirs.get(), buffer)), "EMSGSIZE");
  EXPECT_EQ(open_descriptors(), before);
}

TEST("channel: the other side's end is a message without size") {
  MUST(pair, make_channel());
  char buffer[8];
  EXPECT_EQ(code_of(receive_message(pair.ours.get(), buffer)), "EAGAIN");
  const std::string_view unread[] = {"unread"};
  EXPECT(send_message(pair.ours.get(), unread, {}));
  pair.theirs.reset();
  MUST(got, receive_message(pair.ours.get(), buffer));
  EXPECT_EQ(got.size, size_t{0});
  EXPECT_EQ(code_of(send_message(pair.ours.get(), unread, {})), "EPIPE");
}

TEST("channel: our side never waits to send") {
  MUST(pair, make_channel());
  const std::string large(kMaxMessage, 'x');
  const std::string_view text[] = {large};
  int sent = 0;
  while (sent < 1000 && send_message(pair.ours.get(), text, {})) sent++;
  EXPECT(sent > 0 && sent < 1000);
  EXPECT_EQ(code_of(send_message(pair.ours.get(), text, {})), "EAGAIN");
}
