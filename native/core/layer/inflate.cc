#include "core/layer/inflate.h"

#include <algorithm>
#include <cstring>

namespace nsbox {
namespace {

using huffman::Entry;

Error cut_short() { return Error::invalid("deflate: the stream is cut short"); }
Error damaged(std::string_view what) { return Error::invalid("deflate: ", what); }

uint64_t low_bits(uint64_t value, unsigned bits) { return value & ((uint64_t{1} << bits) - 1); }

}  // namespace

Status BitReader::fill(unsigned bits) {
  while (count_ < bits) {
    if (rest_.empty()) rest_ = TRY(source_.next());
    if (rest_.empty()) return Ok{};
    bits_ = low_bits(bits_, count_) | uint64_t{rest_[0]} << count_;
    rest_ = rest_.subspan(1);
    count_ += 8;
  }
  return Ok{};
}

Result<uint32_t> BitReader::take(unsigned bits) {
  TRY(fill(bits));
  if (count_ < bits) return cut_short();
  const auto value = static_cast<uint32_t>(low_bits(bits_, bits));
  drop(bits);
  return value;
}

Result<size_t> BitReader::take_bytes(uint8_t* to, size_t most) {
  size_t done = 0;
  for (; done < most && count_ >= 8; done++) to[done] = static_cast<uint8_t>(TRY(take(8)));
  if (done == most) return done;
  bits_ = 0;
  if (rest_.empty()) rest_ = TRY(source_.next());
  const Bytes bytes = rest_.first(std::min(most - done, rest_.size()));
  if (!bytes.empty()) memcpy(to + done, bytes.data(), bytes.size());
  rest_ = rest_.subspan(bytes.size());
  return done + bytes.size();
}

void Inflater::restart() {
  state_ = State::kBlock;
  last_ = false;
  written_ = 0;
}

Result<size_t> Inflater::inflate(uint8_t* to, size_t size) {
  begin_ = out_ = to;
  end_ = to + size;
  while (out_ < end_ && state_ != State::kEnded) {
    if (state_ == State::kBlock) TRY(read_block());
    if (state_ == State::kStored) TRY(copy_stored());
    if (state_ == State::kCodes) TRY(run_codes());
  }
  const auto done = static_cast<size_t>(out_ - begin_);
  written_ += done;
  return done;
}

Status Inflater::read_block() {
  if (last_) {
    state_ = State::kEnded;
    return Ok{};
  }
  last_ = TRY(input_.take(1)) != 0;
  switch (TRY(input_.take(2))) {
    case 0:
      return read_stored();
    case 1:
      return read_fixed();
    case 2:
      return read_dynamic();
    default:
      return damaged("a block of no known type");
  }
}

Status Inflater::read_stored() {
  input_.drop_to_byte();
  const uint32_t size = TRY(input_.take(16));
  if ((TRY(input_.take(16)) ^ 0xFFFF) != size) return damaged("a stored block whose size is wrong");
  stored_ = size;
  state_ = State::kStored;
  return Ok{};
}

Status Inflater::copy_stored() {
  while (stored_ && out_ < end_) {
    const size_t room = static_cast<size_t>(end_ - out_);
    const size_t got = TRY(input_.take_bytes(out_, std::min<size_t>(stored_, room)));
    if (!got) return cut_short();
    out_ += got;
    stored_ -= static_cast<uint32_t>(got);
  }
  if (!stored_) state_ = State::kBlock;
  return Ok{};
}

Status Inflater::read_fixed() {
  uint8_t lengths[huffman::kLiteralSymbols];
  for (size_t i = 0; i < huffman::kLiteralSymbols; i++)
    lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
  TRY(huffman::build(huffman::Alphabet::kLiterals, lengths, literals_, huffman::kLiteralBits));
  uint8_t distances[huffman::kDistanceSymbols];
  std::fill(std::begin(distances), std::end(distances), uint8_t{5});
  TRY(huffman::build(huffman::Alphabet::kDistances, distances, distances_, huffman::kDistanceBits));
  state_ = State::kCodes;
  return Ok{};
}

Status Inflater::read_dynamic() {
  const size_t literals = TRY(input_.take(5)) + 257;
  const size_t distances = TRY(input_.take(5)) + 1;
  const size_t count = TRY(input_.take(4)) + 4;
  if (literals > 286 || distances > 30) return damaged("a block with too many codes");
  // The order in which the lengths' own lengths come (section 3.2.7).
  constexpr uint8_t kOrder[huffman::kLengthSymbols] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                       11, 4,  12, 3, 13, 2, 14, 1, 15};
  uint8_t own[huffman::kLengthSymbols] = {};
  for (size_t i = 0; i < count; i++) own[kOrder[i]] = static_cast<uint8_t>(TRY(input_.take(3)));
  const std::span<Entry> table(distances_.data(), size_t{1} << huffman::kLengthsBits);
  if (auto done = huffman::build(huffman::Alphabet::kLengths, own, table, huffman::kLengthsBits); !done)
    return damaged(done.error().doing());
  uint8_t lengths[286 + 30] = {};
  TRY(read_lengths(lengths, literals + distances));
  if (!lengths[256]) return damaged("a block without an end");
  const std::span<const uint8_t> all(lengths, literals + distances);
  auto done =
      huffman::build(huffman::Alphabet::kLiterals, all.first(literals), literals_, huffman::kLiteralBits);
  if (done)
    done = huffman::build(huffman::Alphabet::kDistances, all.subspan(literals), distances_,
                          huffman::kDistanceBits);
  if (!done) return damaged(done.error().doing());
  state_ = State::kCodes;
  return Ok{};
}

// Lengths below 16 stand for themselves; above, they repeat the last one or zero.
Status Inflater::read_lengths(uint8_t* lengths, size_t count) {
  for (size_t at = 0; at < count;) {
    const Entry entry = TRY(decode(distances_.data(), huffman::kLengthsBits));
    const unsigned symbol = huffman::value_of(entry);
    if (symbol < 16) {
      lengths[at++] = static_cast<uint8_t>(symbol);
      continue;
    }
    if (symbol == 16 && at == 0) return damaged("a repeated length with none before it");
    const uint8_t value = symbol == 16 ? lengths[at - 1] : uint8_t{0};
    const unsigned bits = symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
    const size_t times = TRY(input_.take(bits)) + (symbol == 18 ? 11U : 3U);
    if (times > count - at) return damaged("more lengths than codes");
    memset(lengths + at, value, times);
    at += times;
  }
  return Ok{};
}

Status Inflater::run_codes() {
  copy_pending();
  while (state_ == State::kCodes && out_ < end_) {
    if (input_.has_fast_input() && static_cast<size_t>(end_ - out_) > kFastRoom && decode_fast()) continue;
    TRY(decode_one());
  }
  return Ok{};
}

// One symbol, with every edge looked at: the input's end, the room's, damage.
Status Inflater::decode_one() {
  const Entry entry = TRY(decode(literals_.data(), huffman::kLiteralBits));
  if (entry & huffman::kLiteral) {
    *out_++ = static_cast<uint8_t>(huffman::value_of(entry));
    return Ok{};
  }
  if (entry & huffman::kEnd) {
    state_ = State::kBlock;
    return Ok{};
  }
  return decode_match(entry);
}

// The entry of the next code, which is dropped, with the bits that go with it not yet.
Result<Entry> Inflater::decode(const Entry* table, unsigned bits) {
  TRY(input_.fill(15));
  Entry entry = table[low_bits(input_.peek(), bits)];
  if (entry & huffman::kSecond) {
    if (input_.count() < bits) return cut_short();
    const uint64_t behind = input_.peek() >> bits;
    const unsigned width = huffman::code_of(entry);
    entry = table[huffman::value_of(entry) + low_bits(behind, width)];
    if (input_.count() < bits + huffman::code_of(entry)) return cut_short();
    input_.drop(bits);
  }
  if ((entry & huffman::kSpecial) && !(entry & huffman::kEnd))
    return input_.count() < 15 ? cut_short() : damaged("a code that stands for nothing");
  if (input_.count() < huffman::code_of(entry)) return cut_short();
  input_.drop(huffman::code_of(entry));
  return entry;
}

// A length or distance: the value and the bits behind its code.
Result<unsigned> Inflater::value_of(Entry entry) {
  const unsigned extra = huffman::drop_of(entry) - huffman::code_of(entry);
  return huffman::value_of(entry) + TRY(input_.take(extra));
}

Status Inflater::decode_match(Entry entry) {
  match_ = TRY(value_of(entry));
  const Entry distance = TRY(decode(distances_.data(), huffman::kDistanceBits));
  distance_ = TRY(value_of(distance));
  if (distance_ > written_ + static_cast<uint64_t>(out_ - begin_)) {
    match_ = 0;
    return damaged("a match before the beginning");
  }
  copy_pending();
  return Ok{};
}

void Inflater::copy_pending() {
  for (; match_ && out_ < end_; match_--, out_++) *out_ = *(out_ - distance_);
}

}  // namespace nsbox
