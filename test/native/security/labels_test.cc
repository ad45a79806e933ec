#include "core/security/labels.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "core/security/keyring.h"
#include "core/security/process_attributes.h"
#include "core/sys/unique_fd.h"
#include "test.h"

using namespace nsbox;

namespace {

// A directory that stands in for /proc/thread-self.
class Directory {
 public:
  Directory() : fd_(open(mkdtemp(path_), O_PATH | O_DIRECTORY | O_CLOEXEC)) { make_directory("attr"); }
  ~Directory() { (void)!std::system(("rm -rf " + std::string(path_)).c_str()); }

  int fd() const { return fd_.get(); }
  void make_directory(const char* name) { (void)mkdirat(fd(), name, 0700); }
  void make_file(const char* name) { std::ofstream(std::string(path_) + "/" + name).flush(); }
  std::string content(const char* name) const {
    std::ostringstream text;
    text << std::ifstream(std::string(path_) + "/" + name).rdbuf();
    return text.str();
  }

 private:
  char path_[32] = "/tmp/nsbox-labels-XXXXXX";
  UniqueFd fd_;
};

}  // namespace

TEST("labels: AppArmor's own file is written, the shared one where there is none") {
  Directory proc;
  proc.make_file("attr/exec");
  EXPECT(static_cast<bool>(set_apparmor_exec_profile(proc.fd(), "docker-default")));
  EXPECT_EQ(proc.content("attr/exec"), "exec docker-default");
  proc.make_directory("attr/apparmor");
  proc.make_file("attr/apparmor/exec");
  EXPECT(static_cast<bool>(set_apparmor_exec_profile(proc.fd(), "other")));
  EXPECT_EQ(proc.content("attr/apparmor/exec"), "exec other");
  EXPECT_EQ(proc.content("attr/exec"), "exec docker-default");
}

TEST("labels: SELinux's files are written") {
  Directory proc;
  proc.make_file("attr/exec");
  proc.make_file("attr/keycreate");
  EXPECT(static_cast<bool>(set_selinux_exec_label(proc.fd(), "system_u:system_r:container_t:s0:c1,c2")));
  EXPECT_EQ(proc.content("attr/exec"), "system_u:system_r:container_t:s0:c1,c2");
  EXPECT(static_cast<bool>(set_selinux_key_label(proc.fd(), "u:r:t:s0")));
  EXPECT_EQ(proc.content("attr/keycreate"), "u:r:t:s0");
}

TEST("labels: a kernel without the module is an error that names the label") {
  Directory proc;
  auto done = set_apparmor_exec_profile(proc.fd(), "docker-default");
  EXPECT_EQ(done.err(), ENOENT);
  EXPECT_EQ(std::string(done.error().message().view()),
            "set the AppArmor profile docker-default: ENOENT (No such file or directory)");
}

TEST("labels: more than one line, or none, is refused") {
  Directory proc;
  proc.make_file("attr/exec");
  for (const std::string_view label :
       {std::string_view(""), std::string_view("a\nb"), std::string_view("a\0b", 3)}) {
    EXPECT_EQ(set_selinux_exec_label(proc.fd(), label).err(), EINVAL);
    EXPECT_EQ(set_apparmor_exec_profile(proc.fd(), label).err(), EINVAL);
  }
  EXPECT_EQ(proc.content("attr/exec"), "");
}

TEST("labels: what the machine has is found out") {
  struct stat there;
  EXPECT_EQ(security_modules().apparmor, stat("/sys/kernel/security/apparmor", &there) == 0);
  EXPECT_EQ(security_modules().selinux, stat("/sys/fs/selinux/enforce", &there) == 0);
}

TEST("oom score: is written through the descriptor, an error names it") {
  Directory proc;
  proc.make_file("oom_score_adj");
  EXPECT(static_cast<bool>(set_oom_score_adj(proc.fd(), -500)));
  EXPECT_EQ(proc.content("oom_score_adj"), "-500");
  const UniqueFd self(open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC));
  EXPECT_EQ(std::string(set_oom_score_adj(self.get(), 5000).error().message().view()),
            "set oom_score_adj to 5000: EINVAL (Invalid argument)");
}

TEST("keyring: a new session keyring is joined") {
  EXPECT(static_cast<bool>(join_session_keyring("nsbox-test")));
}
