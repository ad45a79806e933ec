// The state of a container, as the next verb finds it: damaged, or of another hand.
#include <cstdint>
#include <cstdlib>

#include "core/container/state.h"
#include "json_words.h"
#include "target.h"

using namespace nsbox;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto state = parse_state({reinterpret_cast<const char*>(data), size});
  if (!state) return state.error().message().empty() ? std::abort(), 0 : 0;
  for (const GroupPath& one : state->groups)
    if (!one.path.view().starts_with('/')) std::abort();
  if (state->init.pid < 0 || state->creator.pid < 0) std::abort();
  // What was read is written, and read again, as it was.
  const String text = state_to_json(*state);
  auto again = parse_state(text);
  if (!again || state_to_json(*again).view() != text.view()) std::abort();
  return 0;
}

namespace nsbox::fuzz {

std::vector<std::string> seeds() {
  return {
      R"({"version":1,"id":"a","ociVersion":"1.0.2","bundle":"/b","rootfs":"/b/r","created":"2026-11-24T00:00:00Z","made":true,
"creator":{"pid":1,"start":2},"init":{"pid":3,"start":4},"owner":0,"namespaces":2080505856,"manager":"cgroupfs",
"cgroupsPath":"/x","unit":"u.scope","userBus":true,"groups":[{"path":"/sys/fs/cgroup/x","controllers":3,"version":2}],
"filterFlags":4,"filterListens":true,"poststart":true,"poststop":true,"intelRdt":true,"newKeyring":true,
"annotations":{"a":"b"}})",
      R"({"version":1,"id":"a"})", R"({"version":2})"};
}

std::vector<std::string> words() {
  return json_words({"true", "-1", "0", "2147483648", "18446744073709551615", "\"version\":1", "\"groups\":[",
                     "\"path\":\"x\"", "\"init\":{", "\"pid\":", "\"manager\":\"systemd\"",
                     "\"annotations\":{", "\\u0000"});
}

}  // namespace nsbox::fuzz
