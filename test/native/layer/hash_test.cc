#include <string>

#include "core/layer/crc32.h"
#include "core/layer/sha256.h"
#include "test.h"

using namespace nsbox;

namespace {

Bytes bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string digest(const std::string& text, size_t piece) {
  Sha256 hash;
  for (size_t at = 0; at < text.size(); at += piece)
    hash.add(bytes_of(text).subspan(at, std::min(piece, text.size() - at)));
  return std::string(hash.finish_digest().view());
}

std::string pattern(size_t size) {
  std::string out(size, '\0');
  for (size_t i = 0; i < size; i++) out[i] = static_cast<char>((i * 2654435761U) >> 13);
  return out;
}

}  // namespace

TEST("layer hash: SHA-256 of known texts, and of one text in pieces of any size") {
  EXPECT_EQ(digest("", 1), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(digest("abc", 3), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest(std::string(1'000'000, 'a'), 4096),
            "sha256:cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  for (size_t size = 0; size < 200; size++) {
    const std::string text = pattern(size);
    for (const size_t piece : {1, 7, 63, 64, 65}) EXPECT_EQ(digest(text, piece), digest(text, 1000));
  }
}

TEST("layer hash: the processor's own instructions agree with plain C++") {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("ssse3")) return nsbox::test::skip_on_this_machine("an old processor");
  const std::string text = pattern(6400);
  Sha256::State plain = {1, 2, 3, 4, 5, 6, 7, 8};
  detail::sha256_plain(plain, bytes_of(text).data(), 100);
  Sha256::State other = {1, 2, 3, 4, 5, 6, 7, 8};
  if (!detail::sha256_fast(other, bytes_of(text).data(), 100))
    return nsbox::test::skip_on_this_machine("a processor without SHA instructions");
  EXPECT(plain == other);
#endif
}

TEST("layer hash: the CRC of known texts, and of one text in pieces of any size") {
  EXPECT_EQ(crc32(0, bytes_of("123456789")), 0xCBF43926U);
  const std::string text = pattern(5000);
  uint32_t by_byte = 0;
  for (size_t i = 0; i < text.size(); i++) by_byte = crc32(by_byte, bytes_of(text).subspan(i, 1));
  for (size_t split = 0; split < 1000; split += 7) {
    const uint32_t first = crc32(0, bytes_of(text).first(split));
    EXPECT_EQ(crc32(first, bytes_of(text).subspan(split)), by_byte);
  }
}
