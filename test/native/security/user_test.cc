#include "core/security/user.h"

#include <string>

#include "test.h"

using namespace nsbox;

namespace {

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/sh\n"
    "\n"
    "# a comment\n"
    "broken:x:abc:0::/:/bin/sh\n"
    "short:x:7\n"
    "huge:x:4294967295:5::/h:/s\n"
    "alice:x:1000:1000:Alice,,,:/home/alice:/bin/bash\n"
    "1000:x:2000:2000::/home/digits:/bin/false\n"
    "alice:x:3000:3000::/second:/bin/sh\n"
    "nohome:x:1001:1001:::";
constexpr std::string_view kGroup =
    "root:x:0:\n"
    "audio:x:29:alice, bob\n"
    "bad:x:xx:alice\n"
    "alice:x:1000:\n"
    "video:x:44:bob,alice\n"
    "again:x:44:alice\n"
    "staff:x:50:alicex,xalice\n";

Result<ResolvedUser> resolve(std::string_view text, const Vector<std::string_view>& additional = {}) {
  return resolve_user(text, kPasswd, kGroup, additional);
}

ResolvedUser found(std::string_view text, const Vector<std::string_view>& additional = {}) {
  return resolve(text, additional).value();
}

std::string ids(const ResolvedUser& user) {
  std::string text = std::to_string(user.uid) + ":" + std::to_string(user.gid);
  for (const uint32_t group : user.groups) text += "," + std::to_string(group);
  return text;
}

std::string error_of(std::string_view text) {
  auto user = resolve(text);
  return user ? "" : std::string(user.error().message().view());
}

}  // namespace

TEST("user: a name brings its groups, home and shell") {
  const ResolvedUser user = found("alice");
  EXPECT_EQ(ids(user), "1000:1000,29,44");
  EXPECT_EQ(user.home, "/home/alice");
  EXPECT_EQ(user.shell, "/bin/bash");
  EXPECT_EQ(user.name, "alice");
}

TEST("user: nothing is root") {
  EXPECT_EQ(ids(found("")), "0:0");
  EXPECT_EQ(found("").home, "/root");
  EXPECT_EQ(ids(resolve_user("", "", "").value()), "0:0");
  EXPECT(resolve_user("", "", "").value().home == "/");
}

TEST("user: digits are an id, never a name") {
  EXPECT_EQ(ids(found("1000")), "1000:1000,29,44");
  EXPECT_EQ(ids(found("2000")), "2000:2000");
  EXPECT_EQ(ids(found("77")), "77:0");
  EXPECT_EQ(found("77").home, "/");
  EXPECT_EQ(found("77").name, "");
}

TEST("user: an id out of range is refused, not looked up") {
  EXPECT_EQ(error_of("4294967295"), "user 4294967295: an id is from 0 to 4294967294");
  EXPECT_EQ(error_of("99999999999999999999"), "user 99999999999999999999: an id is from 0 to 4294967294");
  EXPECT_EQ(error_of("0:4294967296"), "group 4294967296: an id is from 0 to 4294967294");
  EXPECT_EQ(ids(found("4294967294")), "4294967294:0");
}

TEST("user: what only looks like a number is a name") {
  for (const char* text : {"-1", "+0", "0x0", " 0", "0 ", "1e3"})
    EXPECT_EQ(error_of(text), "no user " + std::string(text) + " in the container's /etc/passwd");
}

TEST("user: a group in the specification replaces those of the file") {
  EXPECT_EQ(ids(found("alice:video")), "1000:44");
  EXPECT_EQ(ids(found("alice:7")), "1000:7");
  EXPECT_EQ(ids(found("1000:0")), "1000:0");
  EXPECT_EQ(ids(found(":audio")), "0:29");
  EXPECT_EQ(error_of("alice:nogroup"), "no group nogroup in the container's /etc/group");
  EXPECT_EQ(error_of("alice:video:x"), "no group video:x in the container's /etc/group");
}

TEST("user: additional groups are names or ids, each once") {
  EXPECT_EQ(ids(found("alice", {"staff", "29", "9"})), "1000:1000,29,44,50,9");
  EXPECT_EQ(ids(found("5:5", {"video", "44"})), "5:5,44");
  EXPECT(!resolve("alice", {"nope"}));
}

TEST("user: lines that make no sense are passed over") {
  for (const char* name : {"broken", "short", "huge", "# a comment", "nobody"})
    EXPECT(!find_user_by_name(kPasswd, name).has_value());
  EXPECT(find_user_by_name(kPasswd, "alice")->uid == 1000);  // The first one.
  EXPECT_EQ(found("nohome").home, "/");
  EXPECT(!find_group_by_name(kGroup, "bad").has_value());
  EXPECT(!find_user_by_name(kPasswd, "").has_value());
}

TEST("user: texts without sense do no harm") {
  for (const std::string_view text : std::initializer_list<std::string_view>{
           ":::::::", "\n\n\n", ":", "a", "a:b:c:d:e:f:g:h:i", std::string_view("\0\0", 2)}) {
    EXPECT(!find_user_by_id(text, 0).has_value());
    EXPECT(!find_group_by_name(text, "a").has_value());
    EXPECT(groups_of(text, "a").empty());
  }
  std::string large;
  for (int i = 0; i < 200000; i++) large += "x\n";
  large += "late:x:1:1::/:/\n";
  EXPECT(!find_user_by_name(large, "late").has_value());  // Beyond the number of lines that are read.
}
