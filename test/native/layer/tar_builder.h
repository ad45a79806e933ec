#pragma once

#include <cstdint>
#include <string>

#include "core/layer/byte_source.h"

namespace nsbox::test {

// What a header says; whatever is wrong in it is written as it is.
struct TarHeader {
  std::string name;
  char type = '0';
  unsigned mode = 0644;
  unsigned user = 0, group = 0;
  long long time = 1'000'000'000;
  std::string link = {};
  unsigned major = 0, minor = 0;
  std::string size = {};    // The field's text; empty: the data's size.
  std::string prefix = {};  // POSIX's second half of the name.
  std::string magic = std::string(
      "ustar\0"
      "00",
      8);
};

// An archive, entry by entry.
class TarBuilder {
 public:
  TarBuilder& add(const TarHeader& header, const std::string& data = "");
  TarBuilder& file(const std::string& name, const std::string& data = "", unsigned mode = 0644) {
    return add({.name = name, .mode = mode}, data);
  }
  TarBuilder& directory(const std::string& name, unsigned mode = 0755) {
    return add({.name = name, .type = '5', .mode = mode});
  }
  TarBuilder& symlink(const std::string& name, const std::string& target) {
    return add({.name = name, .type = '2', .mode = 0777, .link = target});
  }
  TarBuilder& hard_link(const std::string& name, const std::string& target) {
    return add({.name = name, .type = '1', .link = target});
  }
  // For the entry behind it, or ('g') for all.
  TarBuilder& pax(const std::string& key, const std::string& value, char type = 'x');
  TarBuilder& pax_text(const std::string& records, char type = 'x');
  TarBuilder& raw(const std::string& bytes);

  const std::string& bytes() const { return out_; }
  // With the two empty blocks at its end.
  std::string ended() const { return out_ + std::string(1024, '\0'); }

 private:
  std::string out_;
};

std::string pax_record(const std::string& key, const std::string& value);
std::string tar_block(const TarHeader& header, size_t data_size);
// Writes the sum anew, for a block that a test has changed.
void set_checksum(std::string& block);

// A stream in pieces of so many bytes.
class TextSource final : public ByteSource {
 public:
  explicit TextSource(const std::string& text, size_t piece = 4096) : text_(text), piece_(piece) {}
  Result<Bytes> next() override {
    const size_t size = std::min(piece_, text_.size() - at_);
    const auto* from = reinterpret_cast<const uint8_t*>(text_.data()) + at_;
    at_ += size;
    return Bytes(from, size);
  }

 private:
  const std::string& text_;
  size_t piece_;
  size_t at_ = 0;
};

}  // namespace nsbox::test
