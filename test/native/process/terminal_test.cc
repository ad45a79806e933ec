#include "core/process/terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/forked.h"
#include "support/workspace.h"

using namespace nsbox;
using namespace nsbox::test;

TEST("terminal: both ends are of the devpts that was given") {
  in_mount_namespace([] {
    EXPECT_EQ(mkdir("/tmp/pts", 0755), 0);
    EXPECT_EQ(mount("devpts", "/tmp/pts", "devpts", 0, "newinstance,ptmxmode=0666"), 0);
    const UniqueFd pts(open("/tmp/pts", O_PATH | O_DIRECTORY | O_CLOEXEC));
    MUST(terminal, open_terminal(pts.get()));
    EXPECT_EQ(name_of_fd(terminal.slave.get()), "/tmp/pts/0");
    EXPECT_EQ(fcntl(terminal.master.get(), F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(fcntl(terminal.slave.get(), F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(told(set_window_size(terminal.master.get(), 132, 43)), "ok");
    winsize size = {};
    EXPECT(ioctl(terminal.slave.get(), TIOCGWINSZ, &size) == 0 && size.ws_col == 132 && size.ws_row == 43);
    EXPECT_EQ(write(terminal.slave.get(), "out", 3), 3);
    char text[8];
    EXPECT_EQ(read(terminal.master.get(), text, sizeof text), 3);
  });
}

TEST("terminal: a ptmx that is a link or no terminal is refused") {
  const Workspace work;
  work.link("ptmx", "/dev/ptmx");
  EXPECT_EQ(code_of(open_terminal(work.fd())), "ELOOP");
  const Workspace other;
  other.file("ptmx", "");
  EXPECT_EQ(code_of(open_terminal(other.fd())), "ENOTTY");
  EXPECT_EQ(code_of(set_window_size(other.fd(), 1, 1)), "EBADF");
}
