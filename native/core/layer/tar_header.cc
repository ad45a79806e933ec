#include "core/layer/tar_header.h"

#include <cstring>

#include "core/base/text.h"
#include "core/layer/tar.h"

namespace nsbox {
namespace {

constexpr std::string_view kXattr = "SCHILY.xattr.";
constexpr uint64_t kMaxId = UINT32_MAX - 1;  // 2^32-1 is "no id" to the kernel.
constexpr uint32_t kMaxMajor = 0xFFF, kMaxMinor = 0xFFFFF;

bool is_ustar(const uint8_t* block) { return memcmp(block + kMagicAt, "ustar\0", 6) == 0; }
bool is_star(const uint8_t* block) { return memcmp(block + kStarMagicAt, "tar\0", 4) == 0; }

std::string_view prefix_of(const uint8_t* block) {
  // GNU's magic is "ustar  ": it has times and sparse maps in this place.
  if (!is_ustar(block)) return {};
  return tar_text(block + kPrefixAt, is_star(block) ? kStarPrefixLength : kPrefixLength);
}

}  // namespace

// The sum of all bytes, those of the sum itself counted as blanks. Some old archivers took bytes as signed.
bool has_checksum(const uint8_t (&block)[kTarBlock]) {
  int64_t sum = 0, signed_sum = 0;
  for (size_t i = 0; i < kTarBlock; i++) {
    const bool own = i >= kChecksumAt && i < kChecksumAt + kChecksumLength;
    const uint8_t byte = own ? ' ' : block[i];
    sum += byte;
    signed_sum += static_cast<int8_t>(byte);
  }
  const auto told = parse_tar_number(block + kChecksumAt, kChecksumLength);
  return told && (*told == sum || *told == signed_sum);
}

Status TarReader::read_header(const Block& block) {
  if (const std::string_view prefix = prefix_of(block); !prefix.empty()) append(entry_.name, prefix, '/');
  entry_.name.append(tar_text(block + kNameAt, kNameLength));
  entry_.link.append(tar_text(block + kLinkAt, kLinkLength));
  TRY(read_type(block[kTypeAt]));
  return read_numbers(block);
}

Status TarReader::read_type(uint8_t flag) {
  switch (flag) {
    case '0':
    case '\0':
    case '7':  // Contiguous, on systems that no one has.
    case 'S':
      entry_.type = TarType::kFile;
      return Ok{};
    case '1':
      entry_.type = TarType::kHardLink;
      return Ok{};
    case '2':
      entry_.type = TarType::kSymlink;
      return Ok{};
    case '3':
      entry_.type = TarType::kCharacter;
      return Ok{};
    case '4':
      entry_.type = TarType::kBlock;
      return Ok{};
    case '5':
      entry_.type = TarType::kDirectory;
      return Ok{};
    case '6':
      entry_.type = TarType::kFifo;
      return Ok{};
    default:
      return refuse("an entry of a type that a layer cannot have");
  }
}

// A number of the header between 0 and a limit.
Result<uint64_t> TarReader::read_number(const uint8_t* field, size_t size, uint64_t most,
                                        std::string_view name) const {
  const auto value = parse_tar_number(field, size);
  if (value && *value >= 0 && static_cast<uint64_t>(*value) <= most) return static_cast<uint64_t>(*value);
  return refuse(format("its ", name, value ? " is out of range" : " is no number"));
}

Status TarReader::read_numbers(const Block& block) {
  entry_.mode =
      static_cast<uint32_t>(TRY(read_number(block + kModeAt, kIdLength, INT64_MAX, "mode")) & 07777);
  entry_.user = static_cast<uint32_t>(TRY(read_number(block + kUserAt, kIdLength, kMaxId, "owner")));
  entry_.group = static_cast<uint32_t>(TRY(read_number(block + kGroupAt, kIdLength, kMaxId, "group")));
  stored_ = TRY(read_number(block + kSizeAt, kSizeLength, INT64_MAX, "size"));
  const auto time = parse_tar_number(block + kTimeAt, kTimeLength);
  if (!time) return refuse("its time is no number");
  entry_.modified.seconds = *time;
  if (entry_.type != TarType::kCharacter && entry_.type != TarType::kBlock) return Ok{};
  entry_.device_major =
      static_cast<uint32_t>(TRY(read_number(block + kMajorAt, kIdLength, kMaxMajor, "device")));
  entry_.device_minor =
      static_cast<uint32_t>(TRY(read_number(block + kMinorAt, kIdLength, kMaxMinor, "device")));
  return Ok{};
}

// An empty value takes a global record back: the header's own field holds.
Status TarReader::apply(PaxRecord& record) {
  const std::string_view key = record.key, value = record.value;
  if (key.starts_with("GNU.sparse.")) return apply_sparse(key.substr(11), value);
  if (key.starts_with(kXattr) && key.size() > kXattr.size()) {
    entry_.xattrs.push_back({String(key.substr(kXattr.size())), std::move(record.value)});
    return Ok{};
  }
  if (value.empty()) return Ok{};
  if (key == "path") entry_.name = String(value);
  if (key == "linkpath") entry_.link = String(value);
  if (key == "size") return apply_size(value);
  if (key == "uid") return apply_id(value, entry_.user);
  if (key == "gid") return apply_id(value, entry_.group);
  if (key == "mtime") return apply_time(value);
  return Ok{};
}

Status TarReader::apply_size(std::string_view value) {
  const auto size = parse_unsigned(value);
  if (!size || *size > INT64_MAX) return refuse("a pax size that is no size");
  stored_ = *size;
  return Ok{};
}

Status TarReader::apply_id(std::string_view value, uint32_t& id) {
  const auto number = parse_id(value);
  if (!number) return refuse("a pax owner that is no id");
  id = *number;
  return Ok{};
}

Status TarReader::apply_time(std::string_view value) {
  const auto time = parse_pax_time(value);
  if (!time) return refuse("a pax time that is no time");
  entry_.modified = *time;
  return Ok{};
}

}  // namespace nsbox
