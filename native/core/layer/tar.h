#pragma once

#include <cstdint>

#include "core/base/error.h"
#include "core/base/vector.h"
#include "core/layer/byte_source.h"
#include "core/layer/tar_limits.h"
#include "core/layer/tar_pax.h"

// A tar archive as a stream: v7, ustar, pax and GNU's, sparse files in all of their four forms.
//
// Sources: POSIX.1-2017 pax, "ustar Interchange Format" and "pax Header Block"; the GNU tar manual, "Basic
// Tar Format", "GNU Extensions to the Archive Format" and "Storing Sparse Files"; star(5) for SCHILY.xattr.
// Where they leave a choice it is Go's archive/tar that decides, because containerd, podman and umoci read
// with it.
namespace nsbox {

enum class TarType : uint8_t { kFile, kHardLink, kSymlink, kCharacter, kBlock, kDirectory, kFifo };

struct TarEntry {
  TarType type = TarType::kFile;
  String name;
  String link;
  uint32_t mode = 0;
  uint32_t user = 0, group = 0;
  uint32_t device_major = 0, device_minor = 0;
  TarTime modified;
  uint64_t size = 0;  // Of the file, holes included.
  Vector<PaxRecord> xattrs;
};

// Bytes of an entry, and where in the file they belong.
struct TarPiece {
  uint64_t offset = 0;
  Bytes bytes;  // Empty: there is no more.
};

class TarReader {
 public:
  TarReader(ByteSource& source, const TarLimits& limits) : source_(source), limits_(limits) {}

  // The next entry, past what is left of this one; null at the end of the archive. Valid until the next call.
  Result<const TarEntry*> next();
  Result<TarPiece> data();
  // Reads to the end of the stream, which may go on behind that of the archive.
  Status drain();

 private:
  static constexpr size_t kBlock = 512;
  using Block = uint8_t[kBlock];

  // What 'x', 'L' and 'K' say of the entry behind them.
  struct Announced {
    PaxRecords records;
    String name, link;
    bool any = false;
  };

  Error refuse(std::string_view what) const;
  Result<bool> read_block(Block& block);
  Result<Bytes> piece(uint64_t most);
  Status read_exactly(uint8_t* to, uint64_t size);
  Result<String> read_text(uint64_t size);
  Status skip(uint64_t size);
  Status skip_entry();
  Status count_entry();

  Status take_extension(const Block& block, Announced& announced);
  Status take_global(std::string_view text);
  Status begin_entry(const Block& block, Announced& announced);
  Status check_names() const;
  Status set_size();

  // tar_header.cc: what the block and the records say.
  Status read_header(const Block& block);
  Status read_type(uint8_t flag);
  Status read_numbers(const Block& block);
  Result<uint64_t> read_number(const uint8_t* field, size_t size, uint64_t most, std::string_view name) const;
  Status apply(PaxRecord& record);
  Status apply(const PaxRecord& record) {
    PaxRecord copy = record;
    return apply(copy);
  }
  Status apply_size(std::string_view value);
  Status apply_id(std::string_view value, uint32_t& id);
  Status apply_time(std::string_view value);

  // tar_sparse.cc
  Status apply_sparse(std::string_view key, std::string_view value);
  Status set_sparse_size(uint64_t size);
  Status add_extent(uint64_t offset, uint64_t size);
  Status read_old_sparse(const Block& block);
  Status read_old_extents(const uint8_t* at, size_t count);
  Status read_sparse_map_0_1(std::string_view map);
  Status read_sparse_map_1_0();
  Result<uint64_t> read_sparse_number();
  Status finish_sparse();
  Status check_extents() const;

  struct Extent {
    uint64_t offset, size;
  };
  // What GNU.sparse.* said so far.
  struct Sparse {
    bool is_sparse = false;
    bool in_data = false;  // The map is: form 1.0.
    String name;
    uint64_t size = 0;
    uint64_t pending_offset = 0;
    bool has_offset = false;
    Vector<Extent> extents;
  };

  ByteSource& source_;
  TarLimits limits_;
  Bytes rest_;
  PaxRecords global_;
  TarEntry entry_;
  Sparse sparse_;
  uint64_t stored_ = 0;     // The size field: bytes of the entry in the archive.
  uint64_t left_ = 0;       // Of them, those not read yet.
  uint64_t padding_ = 0;    // Behind them, to the block's end.
  size_t extent_ = 0;       // Where data() is in the sparse map.
  uint64_t extent_at_ = 0;  // And how far in that extent.
  uint64_t entries_ = 0;
  uint64_t total_ = 0;
  bool in_header_ = true;  // entry_ is the one before.
  bool ended_ = false;
};

}  // namespace nsbox
