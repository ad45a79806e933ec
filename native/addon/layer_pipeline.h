#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

#include "core/layer/byte_source.h"
#include "core/layer/inflate.h"
#include "core/layer/layer_stream.h"

namespace nsbox::addon {

// Pieces of a layer's tar between the thread that inflates and those that read: all readers see all pieces,
// and a slot is written anew when the last has left it.
class PieceRing {
 public:
  static constexpr size_t kReaders = 2;

  PieceRing() : slots_(kSlots, std::vector<uint8_t>(Inflater::kWindow + kPiece + Inflater::kSlack)) {}

  // Inflates until the end, an error, or until a reader has given up. Runs on a thread of its own.
  void fill(LayerStream& stream, uint64_t most_bytes);
  // The next piece for that reader; empty at the end.
  Result<Bytes> next(size_t reader);
  // That reader needs no more; the others and the writer stop too.
  void give_up();

 private:
  static constexpr size_t kSlots = 8;
  static constexpr size_t kPiece = size_t{256} * 1024;

  bool wait_for_slot();
  void publish(size_t size);
  void end(std::optional<Error> error);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::vector<uint8_t>> slots_;
  size_t sizes_[kSlots] = {};
  uint64_t written_ = 0;           // Pieces in all.
  uint64_t taken_[kReaders] = {};  // Pieces each reader has asked for: the last of them it still uses.
  bool ended_ = false;
  bool given_up_ = false;
  std::optional<Error> error_;
};

// One reader's end of it.
class RingReader final : public ByteSource {
 public:
  RingReader(PieceRing& ring, size_t reader) : ring_(ring), reader_(reader) {}
  Result<Bytes> next() override { return ring_.next(reader_); }

 private:
  PieceRing& ring_;
  size_t reader_;
};

}  // namespace nsbox::addon
