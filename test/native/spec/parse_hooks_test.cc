#include "spec/read.h"

using namespace nsbox;
using namespace nsbox::test;

namespace {

std::string hook_says(const std::string& hook) {
  return config_says("{\"hooks\":{\"poststop\":[{\"path\":\"/x\"}," + hook + "]}}");
}

}  // namespace

TEST("hooks: reads every moment of a container's life") {
  Read read(R"({"hooks":{"prestart":[{"path":"/a","args":["a","b"],"env":["X=1"],"timeout":5},{"path":"/a2"}],
    "createRuntime":[{"path":"/b"}],"createContainer":[{"path":"/c"}],"startContainer":[{"path":"/d"}],
    "poststart":[{"path":"/e"}],"poststop":[{"path":"/f","timeout":null}],"unknown":[1]}})");
  MUST(config, read.config());
  const Hooks& hooks = config.hooks;
  EXPECT(hooks.prestart.size() == 2 && hooks.prestart[0].path == "/a" && hooks.prestart[0].args.size() == 2);
  EXPECT(hooks.prestart[0].env[0] == "X=1" && hooks.prestart[0].timeout_seconds == 5U);
  EXPECT(!hooks.prestart[1].timeout_seconds && hooks.prestart[1].args.empty());
  EXPECT(hooks.create_runtime[0].path == "/b" && hooks.create_container[0].path == "/c");
  EXPECT(hooks.start_container[0].path == "/d" && hooks.poststart[0].path == "/e");
  EXPECT(hooks.poststop[0].path == "/f" && !hooks.poststop[0].timeout_seconds);
}

TEST("hooks: wrong ones name their place") {
  const std::pair<const char*, const char*> cases[] = {
      {"{}", "hooks.poststop[1].path: expected an absolute path"},
      {R"({"path":"x"})", "hooks.poststop[1].path: expected an absolute path"},
      {R"({"path":"/x","timeout":0})", "hooks.poststop[1].timeout: expected at least 1 second"},
      {R"({"path":"/x","timeout":-1})", "hooks.poststop[1].timeout: expected a whole number from 0"},
      {R"({"path":"/x","timeout":1.5})", "hooks.poststop[1].timeout: expected a whole number from 0"},
      {R"({"path":"/x","timeout":4294967296})", "hooks.poststop[1].timeout: larger than 32 bits"},
      {R"({"path":"/x","env":["A"]})", "hooks.poststop[1].env[0]: expected NAME=value"},
      {R"({"path":"/x","args":[1]})", "hooks.poststop[1].args[0]: expected a string, got a number"},
      {R"({"path":"/x\u0000"})", "hooks.poststop[1].path: a NUL character in it"},
      {"7", "hooks.poststop[1]: expected an object, got a number"},
  };
  for (const auto& [hook, message] : cases) EXPECT_EQ(hook_says(hook), message);
  EXPECT_EQ(config_says(R"({"hooks":{"prestart":{}}})"), "hooks.prestart: expected an array, got an object");
}

TEST("annotations: are texts with names") {
  Read read(R"({"annotations":{"a.b":"1","c":""}})");
  MUST(config, read.config());
  EXPECT(config.annotations.size() == 2 && config.annotations[0].name == "a.b" &&
         config.annotations[0].value == "1" && config.annotations[1].value.empty());
  EXPECT_EQ(config_says(R"({"annotations":{"a":1}})"), "annotations.a: expected a string, got a number");
  EXPECT(config_says(R"({"annotations":{"a\u0000b":"1"}})").find("a NUL character") != std::string::npos);
  EXPECT_EQ(config_says(R"({"annotations":{"":"1"}})"), "annotations: an annotation wants a name");
}
