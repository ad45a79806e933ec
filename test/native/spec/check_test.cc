#include "core/spec/check.h"

#include "spec/read.h"

using namespace nsbox;
using namespace nsbox::test;

namespace {

std::string bundle_says(const std::string& text) { return told(Read(text).bundle()); }

// A bundle's configuration with these fields beside the ones it must have.
std::string with(const std::string& fields) {
  return bundle_says(R"({"ociVersion":"1.0.2","root":{"path":"r"},"process":{"args":["sh"],"cwd":"/"})" +
                     (fields.empty() ? "" : "," + fields) + "}");
}

std::string version_says(const std::string& version) {
  return bundle_says(R"({"ociVersion":)" + version +
                     R"(,"root":{"path":"r"},"process":{"args":["sh"],"cwd":"/"}})");
}

}  // namespace

TEST("bundle: every version 1.x is ours") {
  for (const char* fine :
       {"1.0.0", "1.0.2-dev", "1.2.1", "1.3.0", "1.3.0-rc.1+dev", "1.99.0", "1.0.0+b", "1.0.0-a-b"})
    EXPECT_EQ(version_says('"' + std::string(fine) + '"'), "ok");
  for (const char* bad : {"0.9.0", "2.0.0", "1", "1.0", "1.0.0.0", "01.0.0", "1.00.0", "1.0.x", "1.0.0-",
                          "v1.0.0", "1.0.0 ", "1.0.0-a_b", "11.0.0", "latest"})
    EXPECT_EQ(version_says('"' + std::string(bad) + '"'),
              "ociVersion: expected a version 1.x such as 1.3.0, got " + std::string(bad));
  EXPECT_EQ(version_says("1.0"), "ociVersion: expected a string, got a number");
  EXPECT_EQ(version_says("null"), "ociVersion: missing");
}

TEST("bundle: what is missing is named") {
  EXPECT_EQ(bundle_says("{}"), "ociVersion: missing");
  EXPECT_EQ(bundle_says("null"), ": expected an object, got null");
  EXPECT_EQ(bundle_says(R"({"ociVersion":"1.0.0"})"), "root.path: missing");
  EXPECT_EQ(bundle_says(R"({"ociVersion":"1.0.0","root":{}})"), "root.path: missing");
  EXPECT_EQ(bundle_says(R"({"ociVersion":"1.0.0","root":{"path":"r"}})"), "process: missing");
  EXPECT_EQ(bundle_says(R"({"ociVersion":"1.0.0","root":{"path":"r"},"process":{"cwd":"/"}})"),
            "process.args: expected at least the program");
  EXPECT_EQ(bundle_says(R"({"ociVersion":"1.0.0","root":{"path":"r"},"process":{"args":["a"]}})"),
            "process.cwd: expected an absolute path");
  EXPECT_EQ(with(""), "ok");
}

TEST("bundle: what wants a namespace says which") {
  const std::pair<const char*, const char*> cases[] = {
      {R"("hostname":"h")", "hostname: needs a uts namespace"},
      {R"("domainname":"h")", "domainname: needs a uts namespace"},
      {R"("hostname":"")", "ok"},
      {R"("linux":{"uidMappings":[{"containerID":0,"hostID":1,"size":1}]})",
       "linux.uidMappings: needs a user namespace"},
      {R"("linux":{"gidMappings":[{"containerID":0,"hostID":1,"size":1}]})",
       "linux.gidMappings: needs a user namespace"},
      {R"("linux":{"maskedPaths":["/x"]})", "linux.maskedPaths: needs a mount namespace"},
      {R"("linux":{"readonlyPaths":["/x"]})", "linux.readonlyPaths: needs a mount namespace"},
      {R"("linux":{"netDevices":{"a":{}}})", "linux.netDevices: needs a network namespace"},
      {R"("linux":{"timeOffsets":{"boottime":{"secs":1}}})", "linux.timeOffsets: needs a time namespace"},
      {R"("linux":{"timeOffsets":{"boottime":{"secs":1}},"namespaces":[{"type":"time","path":"/x"}]})",
       "linux.timeOffsets: needs a new time namespace"},
      {R"("linux":{"timeOffsets":{"boottime":{"secs":1}},"namespaces":[{"type":"time"}]})", "ok"},
      {R"("linux":{"maskedPaths":["x"],"namespaces":[{"type":"mount"}]})",
       "linux.maskedPaths[0]: expected an absolute path"},
      {R"("linux":{"readonlyPaths":["/",""],"namespaces":[{"type":"mount"}]})",
       "linux.readonlyPaths[1]: expected an absolute path"},
  };
  for (const auto& [fields, message] : cases) EXPECT_EQ(with(fields), message);
}

TEST("bundle: what is no JSON document is refused by the reader") {
  Arena arena;
  const std::string deep = std::string(200, '[') + std::string(200, ']');
  for (const std::string& text :
       {std::string("{} {}"), std::string("{}\n{}"), std::string("{\"a\":\"\xff\"}"), deep, std::string(""),
        std::string("\xef\xbb\xbf{}"), std::string("{\"a\":1,}"), std::string("{'a':1}"),
        std::string("{}\0", 3)})
    EXPECT(!json::parse(text, arena));
}
