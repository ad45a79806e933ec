#include "core/base/table.h"

namespace nsbox {
namespace {

constexpr size_t kLeast = 12, kBetween = 3;

// In characters: what continues one in UTF-8 takes no place.
size_t width_of(std::string_view text) {
  size_t width = 0;
  for (const char c : text) width += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return width;
}

}  // namespace

void Table::add(std::span<const std::string_view> cells) {
  Vector<String>& row = rows_.emplace_back();
  for (std::string_view cell : cells) row.emplace_back(cell);
}

String Table::text() const {
  Vector<size_t> widths(rows_[0].size(), kLeast);
  for (const Vector<String>& row : rows_)
    for (size_t i = 0; i < row.size(); i++)
      if (const size_t width = width_of(row[i]) + kBetween; width > widths[i]) widths[i] = width;
  String out;
  for (const Vector<String>& row : rows_) {
    for (size_t i = 0; i < row.size(); i++) {
      out.append(row[i]);
      if (i + 1 == row.size()) break;
      for (size_t at = width_of(row[i]); at < widths[i]; at++) out.append(' ');
    }
    out.append('\n');
  }
  return out;
}

}  // namespace nsbox
