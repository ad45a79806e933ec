#include "core/layer/gzip.h"

#include "core/layer/crc32.h"

namespace nsbox {
namespace {

// Section 2.3.1, FLG.
constexpr uint32_t kHeaderSum = 2, kExtra = 4, kName = 8, kComment = 16, kReserved = 0xE0;
// A name has no length of its own.
constexpr unsigned kMaxText = 65536;

}  // namespace

Result<size_t> Gunzip::read(uint8_t* to, size_t size) {
  while (state_ != State::kEnded) {
    if (state_ == State::kHeader) TRY(read_header());
    if (state_ != State::kData) continue;
    const size_t got = TRY(inflater_.inflate(to, size));
    crc_ = crc32(crc_, Bytes(to, got));
    size_ += static_cast<uint32_t>(got);
    if (inflater_.ended()) TRY(read_trailer());
    if (got) return got;
  }
  return size_t{0};
}

Result<uint32_t> Gunzip::byte() { return inflater_.input().take(8); }

Status Gunzip::read_header() {
  BitReader& input = inflater_.input();
  TRY(input.fill(8));
  if (!first_ && input.count() == 0) {
    state_ = State::kEnded;
    return Ok{};
  }
  if (TRY(byte()) != 0x1F || TRY(byte()) != 0x8B)
    return Error::invalid("gzip: ", first_ ? "this is none" : "something else behind the end");
  if (TRY(byte()) != 8) return Error::invalid("gzip: a method other than deflate");
  const uint32_t flags = TRY(byte());
  if (flags & kReserved) return Error::invalid("gzip: a header with unknown flags");
  for (int i = 0; i < 6; i++) TRY(byte());  // Time, level, system.
  TRY(skip_header_fields(flags));
  first_ = false;
  crc_ = size_ = 0;
  inflater_.restart();
  state_ = State::kData;
  return Ok{};
}

Status Gunzip::skip_header_fields(uint32_t flags) {
  if (flags & kExtra)
    for (uint32_t left = TRY(inflater_.input().take(16)); left; left--) TRY(byte());
  if (flags & kName) TRY(skip_text());
  if (flags & kComment) TRY(skip_text());
  if (flags & kHeaderSum) TRY(inflater_.input().take(16));
  return Ok{};
}

Status Gunzip::skip_text() {
  for (unsigned i = 0; i < kMaxText; i++)
    if (TRY(byte()) == 0) return Ok{};
  return Error::invalid("gzip: a header whose text does not end");
}

Status Gunzip::read_trailer() {
  BitReader& input = inflater_.input();
  input.drop_to_byte();
  if (TRY(input.take(32)) != crc_) return Error::invalid("gzip: the sum of the data is wrong");
  if (TRY(input.take(32)) != size_) return Error::invalid("gzip: the size of the data is wrong");
  state_ = State::kHeader;
  return Ok{};
}

}  // namespace nsbox
