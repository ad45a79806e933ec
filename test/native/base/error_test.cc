#include "core/base/error.h"

#include <memory>

#include "core/base/errno_names.h"
#include "test.h"

using namespace nsbox;

namespace {

Status refuse() { return Error(1).while_doing("mount proc on ", "/proc"); }

Result<int> pass_up() {
  TRY(refuse());
  return 1;
}

Result<std::unique_ptr<int>> make() { return std::make_unique<int>(7); }

Result<int> unwrap() {
  const std::unique_ptr<int> value = TRY(make());
  return *value;
}

}  // namespace

TEST("error: says what was done, the code and its meaning") {
  EXPECT_EQ(Error(1).message().view(), std::string_view("EPERM (Operation not permitted)"));
  EXPECT_EQ(refuse().error().message().view(),
            std::string_view("mount proc on /proc: EPERM (Operation not permitted)"));
  EXPECT_EQ(Error(2).while_doing("inner").while_doing("outer").message().view(),
            std::string_view("outer: inner: ENOENT (No such file or directory)"));
}

TEST("error: a refusal of input is its own whole message") {
  const Error refusal = Error::invalid("hostname: too long (", 65, ")");
  EXPECT_EQ(refusal.message().view(), std::string_view("hostname: too long (65)"));
  EXPECT_EQ(refusal.code(), std::string_view("EINVAL"));
  EXPECT_EQ(refusal.while_doing("plan").message().view(), std::string_view("plan: hostname: too long (65)"));
  EXPECT_EQ(Error::plain(11, "busy").err(), 11);
}

TEST("error: an errno without a name is told by its number") {
  EXPECT_EQ(Error(4000).message().view(), std::string_view("errno 4000"));
  EXPECT(errno_name(0).name.empty() && errno_name(-1).name.empty() && errno_name(1 << 30).name.empty());
}

TEST("result: TRY passes a failure up and gives the value otherwise") {
  auto failed = pass_up();
  EXPECT(!failed);
  EXPECT_EQ(failed.err(), 1);
  auto unwrapped = unwrap();
  EXPECT(unwrapped && *unwrapped == 7);
  EXPECT_EQ(unwrapped.err(), 0);
}

TEST("result: may be assigned, from value to error and back") {
  Result<String> result = String("one");
  result = Error(5);
  EXPECT_EQ(result.err(), 5);
  result = String("two");
  EXPECT(result && result->view() == "two");
}
