#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/base/vector.h"
#include "core/layer/gzip.h"
#include "core/layer/sha256.h"

namespace nsbox {

// A file's bytes as they lie there, hashed and counted on the way.
class HashedFile final : public ByteSource {
 public:
  explicit HashedFile(int fd) : fd_(fd) {}

  Result<Bytes> next() override;
  uint64_t size() const { return size_; }
  // Of all that was read.
  String digest() { return hash_.finish_digest(); }

 private:
  static constexpr size_t kPiece = 65536;
  int fd_;
  uint64_t size_ = 0;
  Sha256 hash_;
  std::array<uint8_t, kPiece> buffer_;
};

// A layer's tar, out of gzip or as it is: the first bytes tell.
class LayerStream {
 public:
  explicit LayerStream(ByteSource& source) : start_(source) {}

  // As Inflater::inflate; 0 is the end, and the source was read to its end as well.
  Result<size_t> read(uint8_t* to, size_t size);

 private:
  // Gives the first bytes twice: to who looks at them, and to who reads them.
  class Start final : public ByteSource {
   public:
    explicit Start(ByteSource& source) : source_(source) {}
    Result<Bytes> next() override;
    Status look(uint8_t* to, size_t size, size_t& got);

   private:
    ByteSource& source_;
    uint8_t kept_[8] = {};
    Bytes kept_left_;
    Bytes rest_;
  };

  Status begin();

  Start start_;
  bool begun_ = false;
  std::optional<Gunzip> gunzip_;
  Bytes plain_;
};

// The same as a source, for one thread.
class LayerSource final : public ByteSource {
 public:
  explicit LayerSource(ByteSource& source)
      : stream_(source), buffer_(Inflater::kWindow + kPiece + Inflater::kSlack) {}
  Result<Bytes> next() override;

 private:
  static constexpr size_t kPiece = 131072;
  LayerStream stream_;
  Vector<uint8_t> buffer_;
  size_t last_ = 0;  // How much the last piece had.
};

}  // namespace nsbox
