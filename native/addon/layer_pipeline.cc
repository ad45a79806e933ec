#include "addon/layer_pipeline.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace nsbox::addon {

void PieceRing::fill(LayerStream& stream, uint64_t most_bytes) {
  uint64_t total = 0;
  size_t last = 0;  // How much the piece before has; its end is the window of this one.
  for (; wait_for_slot(); total += last) {
    uint8_t* const slot = slots_[written_ % kSlots].data();
    const uint8_t* const before = slots_[(written_ + kSlots - 1) % kSlots].data();
    memcpy(slot, before + last, Inflater::kWindow);
    auto got = stream.read(slot + Inflater::kWindow, kPiece);
    if (!got || *got == 0) return end(got ? std::nullopt : std::optional<Error>(got.error()));
    if (*got > most_bytes - total) return end(Error::invalid("the layer unpacks to more than it may"));
    last = *got;
    publish(last);
  }
}

// The slot to write, and the one before it, which the writer reads once more, are nobody else's to change.
bool PieceRing::wait_for_slot() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] {
    const uint64_t slowest = *std::min_element(std::begin(taken_), std::end(taken_));
    return given_up_ || written_ + 1 < slowest + kSlots;
  });
  return !given_up_;
}

void PieceRing::publish(size_t size) {
  const std::lock_guard lock(mutex_);
  sizes_[written_ % kSlots] = size;
  written_++;
  changed_.notify_all();
}

void PieceRing::end(std::optional<Error> error) {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  error_ = std::move(error);
  changed_.notify_all();
}

Result<Bytes> PieceRing::next(size_t reader) {
  std::unique_lock lock(mutex_);
  uint64_t& taken = taken_[reader];
  changed_.wait(lock, [&] { return given_up_ || ended_ || taken < written_; });
  if (given_up_) return Error(ECANCELED);
  if (taken < written_) {
    const size_t slot = taken++ % kSlots;
    changed_.notify_all();
    return Bytes(slots_[slot].data() + Inflater::kWindow, sizes_[slot]);
  }
  if (error_) return *error_;
  return Bytes();
}

void PieceRing::give_up() {
  const std::lock_guard lock(mutex_);
  given_up_ = true;
  changed_.notify_all();
}

}  // namespace nsbox::addon
