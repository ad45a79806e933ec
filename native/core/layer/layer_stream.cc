#include "core/layer/layer_stream.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

struct Magic {
  std::string_view bytes;
  std::string_view name;
};
constexpr Magic kOthers[] = {{"\x28\xB5\x2F\xFD", "zstd"},
                             {"\xFD"
                              "7zXZ",
                              "xz"},
                             {"BZh", "bzip2"}};

}  // namespace

Result<Bytes> HashedFile::next() {
  for (;;) {
    auto got = sys::read(fd_, buffer_.data(), buffer_.size());
    if (got.err() == EINTR) continue;
    if (!got) return got.error().while_doing("read the layer");
    const Bytes bytes(buffer_.data(), *got);
    hash_.add(bytes);
    size_ += bytes.size();
    return bytes;
  }
}

Result<Bytes> LayerStream::Start::next() {
  if (!kept_left_.empty()) return std::exchange(kept_left_, Bytes());
  if (!rest_.empty()) return std::exchange(rest_, Bytes());
  return source_.next();
}

Status LayerStream::Start::look(uint8_t* to, size_t size, size_t& got) {
  for (got = 0; got < size;) {
    rest_ = TRY(source_.next());
    if (rest_.empty()) break;
    const size_t part = std::min(size - got, rest_.size());
    memcpy(kept_ + got, rest_.data(), part);
    rest_ = rest_.subspan(part);
    got += part;
  }
  kept_left_ = Bytes(kept_, got);
  memcpy(to, kept_, got);
  return Ok{};
}

Status LayerStream::begin() {
  begun_ = true;
  uint8_t first[6];
  size_t size = 0;
  TRY(start_.look(first, sizeof first, size));
  const std::string_view text(reinterpret_cast<const char*>(first), size);
  if (text.starts_with("\x1F\x8B")) {
    gunzip_.emplace(start_);
    return Ok{};
  }
  for (const Magic& one : kOthers)
    if (text.starts_with(one.bytes))
      return Error::invalid("a layer compressed by ", one.name, ", which is not supported");
  return Ok{};
}

Result<size_t> LayerStream::read(uint8_t* to, size_t size) {
  if (!begun_) TRY(begin());
  if (gunzip_) return gunzip_->read(to, size);
  if (plain_.empty()) plain_ = TRY(start_.next());
  const Bytes part = plain_.first(std::min(size, plain_.size()));
  if (!part.empty()) memcpy(to, part.data(), part.size());
  plain_ = plain_.subspan(part.size());
  return part.size();
}

// Each piece is written behind the window, which is the end of what came before it.
Result<Bytes> LayerSource::next() {
  uint8_t* const piece = buffer_.data() + Inflater::kWindow;
  memmove(buffer_.data(), buffer_.data() + last_, Inflater::kWindow);
  last_ = TRY(stream_.read(piece, kPiece));
  return Bytes(piece, last_);
}

}  // namespace nsbox
