#pragma once

#include <cstddef>
#include <cstdint>

// The fields of a tar header block, by their offsets (POSIX.1-2017 pax, table "ustar Header Block").
namespace nsbox {

inline constexpr size_t kNameAt = 0, kNameLength = 100;
inline constexpr size_t kModeAt = 100, kUserAt = 108, kGroupAt = 116, kIdLength = 8;
inline constexpr size_t kSizeAt = 124, kSizeLength = 12;
inline constexpr size_t kTimeAt = 136, kTimeLength = 12;
inline constexpr size_t kChecksumAt = 148, kChecksumLength = 8;
inline constexpr size_t kTypeAt = 156;
inline constexpr size_t kLinkAt = 157, kLinkLength = 100;
inline constexpr size_t kMagicAt = 257;
inline constexpr size_t kMajorAt = 329, kMinorAt = 337;
inline constexpr size_t kPrefixAt = 345, kPrefixLength = 155, kStarPrefixLength = 131;
inline constexpr size_t kStarMagicAt = 508;

// GNU's old sparse header lies where ustar has its prefix.
inline constexpr size_t kSparseAt = 386, kSparseCount = 4, kSparseMoreAt = 482, kSparseSizeAt = 483;
// And its continuation in a block of its own.
inline constexpr size_t kMoreSparseCount = 21, kMoreSparseMoreAt = 504;
inline constexpr size_t kSparseEntry = 24;

inline constexpr size_t kTarBlock = 512;

bool has_checksum(const uint8_t (&block)[kTarBlock]);
// Says something of the entry behind it.
inline bool is_extension(uint8_t flag) {
  return flag == 'x' || flag == 'X' || flag == 'g' || flag == 'L' || flag == 'K';
}
inline bool is_plain_file(uint8_t flag) { return flag == '0' || flag == '\0'; }

}  // namespace nsbox
