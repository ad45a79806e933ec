#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "core/layer/layer_stream.h"
#include "layer/tar_builder.h"
#include "support/workspace.h"

using namespace nsbox;
using namespace nsbox::test;

namespace {

std::string gunzip(const std::string& bytes, size_t piece = 4096) {
  TextSource source(bytes, piece);
  LayerSource layer(source);
  std::string out;
  for (;;) {
    auto got = layer.next();
    if (!got) return "error: " + told(got);
    if (got->empty()) return out;
    out.append(reinterpret_cast<const char*>(got->data()), got->size());
  }
}

// By the program of that name, so that another hand has made what we read.
std::string compressed(const std::string& text, const std::string& command) {
  const Workspace work;
  work.file("in", text);
  if (system(("cd " + work.path() + " && " + command + " <in >out").c_str()) != 0) return "";
  return work.read("out");
}

std::string text_of(size_t size, unsigned kinds) {
  std::string out;
  unsigned state = 12345;
  while (out.size() < size) {
    state = state * 1664525 + 1013904223;
    if (state >> 30 == 0 && out.size() > 100)
      out += out.substr(out.size() - 1 - (state >> 8) % std::min<size_t>(out.size() - 1, 40000),
                        state >> 20 & 0x1FF);
    else
      out += static_cast<char>((state >> 16) % kinds);
  }
  out.resize(size);
  return out;
}

std::string damaged(std::string bytes, size_t at, char to) {
  bytes[at] = to;
  return bytes;
}

// A stream of bits, lowest first, behind a gzip header; what follows the bits is zero.
std::string with_bits(const std::string& bits) {
  std::string out("\x1F\x8B\x08\0\0\0\0\0\0\x03", 10);
  for (size_t at = 0; at < bits.size(); at += 8) {
    unsigned byte = 0;
    for (size_t i = at; i < std::min(bits.size(), at + 8); i++)
      byte |= static_cast<unsigned>(bits[i] - '0') << (i - at);
    out += static_cast<char>(byte);
  }
  return out + std::string(16, '\0');
}

bool fails_with(const std::string& bytes, const std::string& what) {
  for (const size_t piece : {1, 13, 4096}) {
    const std::string got = gunzip(bytes, piece);
    if (!got.starts_with("error: ") || got.find(what) == std::string::npos) {
      std::printf("  got %s\n", got.substr(0, 200).c_str());
      return false;
    }
  }
  return true;
}

}  // namespace

TEST("layer inflate: gives back what gzip has packed, at every level and in pieces of any size") {
  for (const size_t size : {0, 1, 2, 300, 70'000, 1'000'000})
    for (const unsigned kinds : {1, 3, 40, 256}) {
      const std::string text = text_of(size, kinds);
      for (const char* level : {"gzip -1", "gzip -6", "gzip -9"}) {
        const std::string packed = compressed(text, level);
        for (const size_t piece : {1, 9, 4096, 1 << 22})
          if (size < 100'000 || piece > 9) EXPECT(gunzip(packed, piece) == text);
      }
    }
}

TEST("layer inflate: stored blocks, names in the header, several members") {
  const std::string text = text_of(200'000, 256);
  const Workspace work;
  work.file("name", text);
  if (system(("gzip -kn1 " + work.path("name")).c_str()) != 0) return skip("needs gzip");
  const std::string packed = work.read("name.gz");
  if (system(("gzip -kNf9 " + work.path("name")).c_str()) != 0) return skip("needs gzip");
  const std::string named = work.read("name.gz");
  EXPECT(gunzip(packed) == text);
  EXPECT(gunzip(named) == text);
  EXPECT(gunzip(packed + named + packed, 1000) == text + text + text);
}

TEST("layer inflate: a tar that is not compressed is read as it is; another method is named") {
  const std::string text = text_of(100'000, 40);
  EXPECT(gunzip(text, 7) == text);
  EXPECT_EQ(gunzip(""), "");
  EXPECT_EQ(gunzip("ab", 1), "ab");
  EXPECT(fails_with("\x28\xB5\x2F\xFD rest", "zstd"));
  EXPECT(fails_with("BZh91AY", "bzip2"));
}

TEST("layer inflate: every way of being damaged is an error") {
  const std::string packed = compressed(text_of(5000, 40), "gzip -n9");
  if (packed.empty()) return skip("needs gzip");
  EXPECT(fails_with(damaged(packed, packed.size() - 1, 1), "size of the data"));
  EXPECT(fails_with(damaged(packed, packed.size() - 5, packed[packed.size() - 5] ^ 1), "sum of the data"));
  EXPECT(fails_with(damaged(packed, 2, 7), "method"));
  EXPECT(fails_with(damaged(packed, 3, '\xE0'), "flags"));
  EXPECT(fails_with(packed + "rest", "behind the end"));
  EXPECT(fails_with(packed + std::string(512, '\0'), "behind the end"));
  for (size_t size = 6; size < packed.size(); size += size < 100 ? 1 : 37)
    EXPECT(gunzip(packed.substr(0, size)).starts_with("error: "));
  EXPECT(fails_with(with_bits("111"), "no known type"));
  EXPECT(fails_with(with_bits("10000000"
                              "1111000000000000"
                              "0000000000000000"),
                    "stored block"));
  // Fixed codes: length 3 (0000001) at distance 1 (00000) before there is anything.
  EXPECT(fails_with(with_bits("110"
                              "0000001"
                              "00000"),
                    "before the beginning"));
  // Distance 30 (11110) stands for nothing; so does symbol 286 (11000110).
  EXPECT(fails_with(with_bits("110"
                              "00110000"
                              "0000001"
                              "11110"),
                    "stands for nothing"));
  EXPECT(fails_with(with_bits("110"
                              "11000110"),
                    "stands for nothing"));
  // Dynamic: 287 literals; lengths' codes that are too many, too few.
  EXPECT(fails_with(with_bits("101"
                              "01111"
                              "00000"
                              "0000"),
                    "too many codes"));
  EXPECT(fails_with(with_bits("101"
                              "00000"
                              "00000"
                              "0000"
                              "100"
                              "100"
                              "100"
                              "000"),
                    "oversubscribed"));
  EXPECT(fails_with(with_bits("101"
                              "00000"
                              "00000"
                              "0000"
                              "010"
                              "010"
                              "000"
                              "000"),
                    "gaps"));
}

TEST("layer inflate: a damaged bit never gives other data") {
  const std::string text = text_of(3000, 40);
  const std::string packed = compressed(text, "gzip -n9");
  for (size_t bit = 16; bit < packed.size() * 8; bit += 3) {
    std::string bad = packed;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    const std::string got = gunzip(bad, 100);
    EXPECT(got == text || got.starts_with("error: "));
  }
}
