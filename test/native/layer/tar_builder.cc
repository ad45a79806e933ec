#include "layer/tar_builder.h"

#include <cstdio>
#include <cstring>

namespace nsbox::test {
namespace {

void put(std::string& block, size_t at, size_t size, const std::string& text) {
  block.replace(at, std::min(size, text.size()), text, 0, std::min(size, text.size()));
}

std::string octal(unsigned long long value, int digits) {
  char text[32];
  (void)std::snprintf(text, sizeof text, "%0*llo", digits, value);
  return text;
}

}  // namespace

void set_checksum(std::string& block) {
  block.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(block, 148, 8, octal(sum, 6) + std::string("\0 ", 2));
}

std::string tar_block(const TarHeader& header, size_t data_size) {
  std::string block(512, '\0');
  put(block, 0, 100, header.name);
  put(block, 100, 8, octal(header.mode, 7));
  put(block, 108, 8, octal(header.user, 7));
  put(block, 116, 8, octal(header.group, 7));
  put(block, 124, 12, header.size.empty() ? octal(data_size, 11) : header.size);
  put(block, 136, 12, octal(static_cast<unsigned long long>(header.time), 11));
  block[156] = header.type;
  put(block, 157, 100, header.link);
  put(block, 257, 8, header.magic);
  put(block, 329, 8, octal(header.major, 7));
  put(block, 337, 8, octal(header.minor, 7));
  put(block, 345, 155, header.prefix);
  set_checksum(block);
  return block;
}

TarBuilder& TarBuilder::raw(const std::string& bytes) {
  out_ += bytes;
  return *this;
}

TarBuilder& TarBuilder::add(const TarHeader& header, const std::string& data) {
  out_ += tar_block(header, data.size()) + data;
  out_.resize((out_.size() + 511) / 512 * 512);
  return *this;
}

TarBuilder& TarBuilder::pax_text(const std::string& records, char type) {
  return add({.name = "PaxHeaders/x", .type = type}, records);
}

TarBuilder& TarBuilder::pax(const std::string& key, const std::string& value, char type) {
  return pax_text(pax_record(key, value), type);
}

std::string pax_record(const std::string& key, const std::string& value) {
  const std::string rest = " " + key + "=" + value + "\n";
  // The length counts its own digits.
  size_t length = rest.size() + 1;
  while (std::to_string(length).size() + rest.size() != length) length++;
  return std::to_string(length) + rest;
}

}  // namespace nsbox::test
