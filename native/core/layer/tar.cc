#include "core/layer/tar.h"

#include <algorithm>
#include <cstring>

#include "core/layer/printable.h"
#include "core/layer/tar_header.h"

namespace nsbox {
namespace {

bool is_zero(const uint8_t* block, size_t size) {
  return std::all_of(block, block + size, [](uint8_t byte) { return byte == 0; });
}

uint64_t padding_of(uint64_t size) { return (512 - size % 512) % 512; }

// All that may stand for every entry. The rest of a global header (a commit's id, a comment) says nothing
// about files, and keeping one record of a key bounds what each entry costs.
bool may_be_global(std::string_view key) {
  return key == "path" || key == "linkpath" || key == "size" || key == "uid" || key == "gid" ||
         key == "mtime";
}

void set_record(PaxRecords& records, PaxRecord&& record) {
  for (PaxRecord& one : records)
    if (one.key.view() == record.key.view()) {
      one.value = std::move(record.value);
      return;
    }
  records.push_back(std::move(record));
}

bool has_key(const PaxRecords& records, std::string_view key) {
  return std::any_of(records.begin(), records.end(),
                     [&](const PaxRecord& record) { return record.key.view() == key; });
}

}  // namespace

Error TarReader::refuse(std::string_view what) const {
  if (entry_.name.empty()) return Error::invalid("tar: ", what);
  return Error::invalid("tar: ", in_header_ ? "behind " : "", printable(entry_.name), ": ", what);
}

Result<const TarEntry*> TarReader::next() {
  if (ended_) return nullptr;
  TRY(skip_entry());
  in_header_ = true;
  Announced announced;
  Block block;
  for (;;) {
    if (!TRY(read_block(block)) || is_zero(block, kBlock)) break;
    if (!has_checksum(block)) return refuse("a header whose checksum is wrong");
    TRY(count_entry());
    if (is_extension(block[kTypeAt])) {
      TRY(take_extension(block, announced));
      continue;
    }
    TRY(begin_entry(block, announced));
    return &entry_;
  }
  ended_ = true;
  if (announced.any) return refuse("an extended header with no entry behind it");
  return nullptr;
}

Status TarReader::drain() {
  rest_ = {};
  for (;;)
    if (TRY(source_.next()).empty()) return Ok{};
}

Result<TarPiece> TarReader::data() {
  if (left_ == 0) return TarPiece{};
  if (!sparse_.is_sparse) {
    const uint64_t offset = stored_ - left_;
    const Bytes bytes = TRY(piece(left_));
    left_ -= bytes.size();
    return TarPiece{offset, bytes};
  }
  while (extent_at_ == sparse_.extents[extent_].size) {
    extent_++;
    extent_at_ = 0;
  }
  const Extent& extent = sparse_.extents[extent_];
  const Bytes bytes = TRY(piece(std::min(left_, extent.size - extent_at_)));
  const uint64_t offset = extent.offset + extent_at_;
  extent_at_ += bytes.size();
  left_ -= bytes.size();
  return TarPiece{offset, bytes};
}

// What comes next, at most so much of it; the end of the stream is an error here.
Result<Bytes> TarReader::piece(uint64_t most) {
  if (rest_.empty()) rest_ = TRY(source_.next());
  if (rest_.empty()) return refuse("the archive is cut short");
  const Bytes out = rest_.first(std::min<uint64_t>(most, rest_.size()));
  rest_ = rest_.subspan(out.size());
  return out;
}

Status TarReader::read_exactly(uint8_t* to, uint64_t size) {
  while (size) {
    const Bytes bytes = TRY(piece(size));
    memcpy(to, bytes.data(), bytes.size());
    to += bytes.size();
    size -= bytes.size();
  }
  return Ok{};
}

Status TarReader::skip(uint64_t size) {
  while (size) size -= TRY(piece(size)).size();
  return Ok{};
}

// The end of the stream where a header may stand is an end too: some archivers leave out the zero blocks.
Result<bool> TarReader::read_block(Block& block) {
  if (rest_.empty()) rest_ = TRY(source_.next());
  if (rest_.empty()) return false;
  TRY(read_exactly(block, kBlock));
  return true;
}

Status TarReader::skip_entry() {
  const uint64_t size = left_ + padding_;
  left_ = padding_ = 0;
  return skip(size);
}

Status TarReader::count_entry() {
  if (++entries_ > limits_.entries) return refuse("more entries than a layer may have");
  return Ok{};
}

Result<String> TarReader::read_text(uint64_t size) {
  if (size > limits_.pax) return refuse("an extended header that is too large");
  String text;
  text.reserve(size);
  for (uint64_t left = size; left;) {
    const Bytes bytes = TRY(piece(left));
    text.append({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    left -= bytes.size();
  }
  TRY(skip(padding_of(size)));
  return text;
}

Status TarReader::take_extension(const Block& block, Announced& announced) {
  const auto size = parse_tar_number(block + kSizeAt, kSizeLength);
  if (!size || *size < 0) return refuse("an extended header whose size is no number");
  String text = TRY(read_text(static_cast<uint64_t>(*size)));
  if (block[kTypeAt] == 'g') return take_global(text);
  announced.any = true;
  // A long name ends in a NUL, which is not part of it.
  if (block[kTypeAt] == 'L') announced.name = String(text.view().substr(0, text.view().find('\0')));
  if (block[kTypeAt] == 'K') announced.link = String(text.view().substr(0, text.view().find('\0')));
  if (block[kTypeAt] != 'x' && block[kTypeAt] != 'X') return Ok{};
  announced.records.clear();
  if (auto done = parse_pax(text, announced.records); !done) return refuse(done.error().message());
  return Ok{};
}

Status TarReader::take_global(std::string_view text) {
  PaxRecords records;
  if (auto done = parse_pax(text, records); !done) return refuse(done.error().message());
  for (PaxRecord& record : records)
    if (may_be_global(record.key)) set_record(global_, std::move(record));
  return Ok{};
}

Status TarReader::begin_entry(const Block& block, Announced& announced) {
  entry_ = TarEntry{};
  sparse_ = Sparse{};
  in_header_ = false;
  TRY(read_header(block));
  for (const PaxRecord& record : global_)
    if (!has_key(announced.records, record.key)) TRY(apply(record));
  for (PaxRecord& record : announced.records) TRY(apply(record));
  if (!sparse_.name.empty()) entry_.name = std::move(sparse_.name);
  if (!announced.name.empty()) entry_.name = std::move(announced.name);
  if (!announced.link.empty()) entry_.link = std::move(announced.link);
  TRY(check_names());
  // v7 has no other way to say so.
  if (is_plain_file(block[kTypeAt]) && entry_.name.view().ends_with('/')) entry_.type = TarType::kDirectory;
  TRY(set_size());
  if (block[kTypeAt] == 'S') TRY(read_old_sparse(block));
  if (sparse_.is_sparse) TRY(finish_sparse());
  total_ += entry_.size;
  if (total_ > limits_.total) return refuse("more bytes than a layer may have");
  return Ok{};
}

Status TarReader::check_names() const {
  for (const std::string_view name : {entry_.name.view(), entry_.link.view()}) {
    if (name.find('\0') != std::string_view::npos) return refuse("a NUL in a name");
    if (name.size() > limits_.name) return refuse("a name that is too long");
  }
  if (entry_.name.empty()) return refuse("an entry without a name");
  return Ok{};
}

// Links, devices and directories carry no data, whatever their size field says: GNU tar and Go agree.
Status TarReader::set_size() {
  if (entry_.type != TarType::kFile) stored_ = 0;
  if (stored_ > limits_.total) return refuse("a size beyond what a layer may have");
  entry_.size = left_ = stored_;
  padding_ = padding_of(stored_);
  return Ok{};
}

}  // namespace nsbox
