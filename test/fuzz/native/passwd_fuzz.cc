// A container's /etc/passwd and /etc/group, and a user to find in them: three texts with NULs between.
#include <cstdint>
#include <cstdlib>

#include "core/base/text.h"
#include "core/security/user.h"
#include "target.h"

using namespace nsbox;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string_view user = cut(rest, '\0'), passwd = cut(rest, '\0');
  Vector<std::string_view> additional;
  additional.push_back("wheel");
  for (const bool more : {false, true}) {
    auto found = resolve_user(user, passwd, rest, more ? additional : Vector<std::string_view>());
    if (!found) continue;
    // No id may ever mean "no change" to the kernel.
    if (found->uid == UINT32_MAX || found->gid == UINT32_MAX || found->groups.size() > kMaxGroups)
      std::abort();
    for (const uint32_t group : found->groups)
      if (group == UINT32_MAX) std::abort();
    if (found->home.empty()) std::abort();
    // Digits alone are an id, whatever the files say.
    const std::string_view name = user.substr(0, user.find(':'));
    if (const auto id = parse_id(name); id && *id != found->uid) std::abort();
  }
  return 0;
}

namespace nsbox::fuzz {

std::vector<std::string> seeds() {
  const std::string files = std::string(
      "\0root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:\n"
      "1000:x:0:0::/:\nbad\n:x:1:1\n\0wheel:x:10:root,node\nnode:x:1000:\n",
      117);
  return {"root" + files,    "node:wheel" + files, "1000" + files,
          "1000:10" + files, ":" + files,          "4294967295" + files};
}

std::vector<std::string> words() {
  return {":",
          "\n",
          ",",
          "root",
          "node",
          "0",
          "1000",
          "4294967294",
          "4294967295",
          "18446744073709551616",
          "-1",
          "+0",
          std::string(1, '\0'),
          " ",
          "x:0:0:",
          "wheel:x:10:",
          "::::::"};
}

}  // namespace nsbox::fuzz
