#pragma once

#include <cstdint>

#include "core/base/error.h"
#include "core/layer/byte_source.h"
#include "core/layer/huffman.h"

namespace nsbox {

// The bits of a compressed stream, lowest first.
class BitReader {
 public:
  explicit BitReader(ByteSource& source) : source_(source) {}

  // Have at least so many bits (at most 32) or be at the end of the stream.
  Status fill(unsigned bits);
  Result<uint32_t> take(unsigned bits);
  void drop_to_byte() { drop(count_ % 8); }
  // Whole bytes, at a byte's edge; how many there were, none at the end.
  Result<size_t> take_bytes(uint8_t* to, size_t most);

  // For the fast path, which keeps the buffer in registers.
  static constexpr size_t kFastInput = 8;
  bool has_fast_input() const { return rest_.size() >= kFastInput; }
  uint64_t peek() const { return count_ < 64 ? bits_ & ((uint64_t{1} << count_) - 1) : bits_; }
  unsigned count() const { return count_; }
  void drop(unsigned bits) {
    bits_ >>= bits;
    count_ -= bits;
  }

 private:
  friend class Inflater;
  ByteSource& source_;
  Bytes rest_;
  uint64_t bits_ = 0;  // Above count_ there may be bits already that are still in rest_ as well.
  unsigned count_ = 0;
};

// DEFLATE (RFC 1951), as much at a time as the caller has room for.
class Inflater {
 public:
  static constexpr size_t kWindow = 32768;
  // Behind what inflate() may fill: the fast path writes a little further than it means.
  static constexpr size_t kSlack = 32;

  explicit Inflater(ByteSource& source) : input_(source) {}

  // Writes up to `size` bytes; fewer only at the stream's end. Before `to` lies what was written last, as
  // much of it as there was, up to kWindow bytes; behind it kSlack bytes are scratch.
  Result<size_t> inflate(uint8_t* to, size_t size);
  bool ended() const { return state_ == State::kEnded; }

  // For what wraps the stream: bits before and behind it.
  BitReader& input() { return input_; }
  // A further stream, with nothing before it.
  void restart();

 private:
  enum class State : uint8_t { kBlock, kStored, kCodes, kEnded };

  Status read_block();
  Status read_stored();
  Status read_fixed();
  Status read_dynamic();
  Status read_lengths(uint8_t* lengths, size_t count);
  Status copy_stored();
  Status run_codes();
  Status decode_one();
  Result<huffman::Entry> decode(const huffman::Entry* table, unsigned bits);
  Result<unsigned> value_of(huffman::Entry entry);
  Status decode_match(huffman::Entry entry);
  bool decode_fast();
  void copy_pending();

  // What one round of the fast path may write: two literals and the longest match.
  static constexpr size_t kFastRoom = 260;

  BitReader input_;
  State state_ = State::kBlock;
  bool last_ = false;
  uint32_t stored_ = 0;
  uint64_t written_ = 0;  // In all, to know how far back a match may reach.
  uint8_t* out_ = nullptr;
  uint8_t* end_ = nullptr;
  uint8_t* begin_ = nullptr;
  unsigned match_ = 0;  // Of a match that had no room, what is still to be copied.
  unsigned distance_ = 0;
  std::array<huffman::Entry, huffman::kLiteralTable> literals_;
  std::array<huffman::Entry, huffman::kDistanceTable> distances_;
};

}  // namespace nsbox
