// Sparse files: GNU's old header ('S') and the three forms that GNU tar has written as pax records.
#include <algorithm>

#include "core/base/text.h"
#include "core/layer/tar.h"
#include "core/layer/tar_header.h"

namespace nsbox {

Status TarReader::apply_sparse(std::string_view key, std::string_view value) {
  if (key == "name") {
    sparse_.name = String(value);
    return Ok{};
  }
  if (key == "map") return read_sparse_map_0_1(value);
  const auto number = parse_unsigned(value);
  if (!number) return refuse("a sparse record that is no number");
  if (key == "major") sparse_.in_data = *number == 1;
  if (key == "size" || key == "realsize") return set_sparse_size(*number);
  if (key == "offset") {
    sparse_.pending_offset = *number;
    sparse_.has_offset = true;
  }
  if (key != "numbytes") return Ok{};
  if (!sparse_.has_offset) return refuse("a sparse piece without its offset");
  sparse_.has_offset = false;
  return add_extent(sparse_.pending_offset, *number);
}

Status TarReader::set_sparse_size(uint64_t size) {
  if (size > limits_.total) return refuse("a size beyond what a layer may have");
  sparse_.size = size;
  sparse_.is_sparse = true;
  return Ok{};
}

// "offset,size,offset,size"
Status TarReader::read_sparse_map_0_1(std::string_view map) {
  while (!map.empty()) {
    const auto offset = parse_unsigned(cut(map, ','));
    const auto size = parse_unsigned(cut(map, ','));
    if (!offset || !size) return refuse("a sparse map that is none");
    TRY(add_extent(*offset, *size));
  }
  return Ok{};
}

Status TarReader::add_extent(uint64_t offset, uint64_t size) {
  if (sparse_.extents.size() >= limits_.extents) return refuse("a sparse file in too many pieces");
  sparse_.extents.push_back({offset, size});
  return Ok{};
}

Status TarReader::read_old_sparse(const Block& block) {
  const uint64_t size = TRY(read_number(block + kSparseSizeAt, kSizeLength, INT64_MAX, "sparse size"));
  TRY(set_sparse_size(size));
  TRY(read_old_extents(block + kSparseAt, kSparseCount));
  for (bool more = block[kSparseMoreAt]; more;) {
    Block next;
    TRY(read_exactly(next, kBlock));
    TRY(read_old_extents(next, kMoreSparseCount));
    more = next[kMoreSparseMoreAt];
    TRY(count_entry());
  }
  return Ok{};
}

Status TarReader::read_old_extents(const uint8_t* at, size_t count) {
  for (; count; count--, at += kSparseEntry) {
    if (*at == '\0') return Ok{};
    const uint64_t offset = TRY(read_number(at, kSizeLength, INT64_MAX, "sparse map"));
    const uint64_t size = TRY(read_number(at + kSizeLength, kSizeLength, INT64_MAX, "sparse map"));
    TRY(add_extent(offset, size));
  }
  return Ok{};
}

Status TarReader::finish_sparse() {
  if (entry_.type != TarType::kFile) return refuse("sparse, and no file");
  if (sparse_.in_data) TRY(read_sparse_map_1_0());
  entry_.size = sparse_.size;
  extent_ = 0;
  extent_at_ = 0;
  return check_extents();
}

// Rising, inside the file, and together exactly what the archive holds.
Status TarReader::check_extents() const {
  uint64_t end = 0, sum = 0;
  for (const Extent& extent : sparse_.extents) {
    if (extent.offset < end || extent.offset > sparse_.size || extent.size > sparse_.size - extent.offset)
      return refuse("a sparse map that overlaps or leaves the file");
    end = extent.offset + extent.size;
    sum += extent.size;
  }
  if (sum != left_) return refuse("a sparse map that does not fit its data");
  return Ok{};
}

// Form 1.0: the map opens the data, decimal lines filled up to a block.
Status TarReader::read_sparse_map_1_0() {
  const uint64_t before = left_;
  const uint64_t count = TRY(read_sparse_number());
  if (count > limits_.extents) return refuse("a sparse file in too many pieces");
  for (uint64_t i = 0; i < count; i++) {
    const uint64_t offset = TRY(read_sparse_number());
    TRY(add_extent(offset, TRY(read_sparse_number())));
  }
  const uint64_t fill = (kBlock - (before - left_) % kBlock) % kBlock;
  if (fill > left_) return refuse("a sparse map that is cut short");
  left_ -= fill;
  return skip(fill);
}

Result<uint64_t> TarReader::read_sparse_number() {
  uint64_t value = 0;
  for (int digits = 0; digits < 20; digits++) {
    if (left_ == 0) return refuse("a sparse map that is cut short");
    left_--;
    const uint8_t byte = TRY(piece(1))[0];
    if (byte == '\n' && digits) return value;
    if (byte < '0' || byte > '9' || value > UINT64_MAX / 10 - 1) break;
    value = value * 10 + (byte - '0');
  }
  return refuse("a sparse map that is none");
}

}  // namespace nsbox
