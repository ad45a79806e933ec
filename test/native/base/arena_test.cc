#include "core/base/arena.h"

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "test.h"

using namespace nsbox;

TEST("arena: pieces are aligned and do not overlap, whatever their sizes") {
  Arena arena;
  std::vector<std::pair<unsigned char*, size_t>> pieces;
  for (size_t i = 0; i < 400; i++) {
    const size_t size = (i * 7919) % 20000;
    auto* piece = static_cast<unsigned char*>(arena.allocate(size));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(piece) % 16, uintptr_t{0});
    if (size) memset(piece, static_cast<int>(i & 0xFF), size);
    pieces.emplace_back(piece, size);
  }
  for (size_t i = 0; i < pieces.size(); i++)
    for (size_t at = 0; at < pieces[i].second; at++) EXPECT(pieces[i].first[at] == (i & 0xFF));
}

TEST("arena: a copy ends in a NUL and outlives its original") {
  Arena arena;
  std::string_view copy;
  {
    const std::string original = "text";
    copy = arena.copy(original);
  }
  EXPECT_EQ(copy, std::string_view("text"));
  EXPECT_EQ(copy.data()[copy.size()], '\0');
  EXPECT_EQ(arena.copy("").size(), size_t{0});
}

TEST("arena: copies arrays") {
  Arena arena;
  const int from[] = {1, 2, 3};
  const auto to = arena.copy_array<int>(from);
  EXPECT(to.size() == 3 && to[0] == 1 && to[2] == 3);
  EXPECT(arena.copy_array<int>({}).empty());
}
