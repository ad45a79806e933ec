#include "core/container/mounts.h"

#include "test.h"

using namespace nsbox;

TEST("mounts: an array in the form of config.json's") {
  Arena arena;
  auto mounts = parse_mounts(
      R"([{"destination": "/a", "type": "bind", "source": "/b", "options": ["rbind", "ro"]},
          {"destination": "/t", "type": "tmpfs", "source": "tmpfs", "options": ["size=1m"]}])",
      arena);
  EXPECT(static_cast<bool>(mounts));
  if (!mounts) return;
  EXPECT_EQ(mounts->size(), size_t{2});
  EXPECT((*mounts)[0].bind && (*mounts)[0].bind_recursive && (*mounts)[0].set == MOUNT_ATTR_RDONLY);
  EXPECT_EQ((*mounts)[1].data[0], std::string_view("size=1m"));
}

TEST("mounts: anything but an array of mounts is refused") {
  Arena arena;
  for (const char* bad : {"", "{}", "[1]", "[{]", "null", "[{\"destination\": 1}]",
                          "[{\"destination\": \"\"}]", "[], \"root\": {}", "[]}, {\"mounts\":[]", "[] []"})
    EXPECT(!parse_mounts(bad, arena));
  EXPECT(static_cast<bool>(parse_mounts(" [] ", arena)));
}
