#include "core/base/string.h"

#include <cstring>

namespace nsbox {

void String::reserve(size_t size) {
  if (size < capacity_) return;
  size_t capacity = capacity_ ? capacity_ * 2 : 32;
  while (capacity <= size) capacity *= 2;
  char* grown = new char[capacity];
  if (size_) memcpy(grown, data_, size_);
  grown[size_] = '\0';
  delete[] data_;
  data_ = grown;
  capacity_ = capacity;
}

void String::append(std::string_view text) {
  if (text.empty()) return;
  // The text may be a part of ourselves, which growing would free.
  const bool inside = data_ && text.data() >= data_ && text.data() < data_ + capacity_;
  const size_t offset = inside ? static_cast<size_t>(text.data() - data_) : 0;
  reserve(size_ + text.size());
  memmove(data_ + size_, inside ? data_ + offset : text.data(), text.size());
  size_ += text.size();
  data_[size_] = '\0';
}

void String::truncate(size_t size) {
  if (size >= size_) return;
  size_ = size;
  data_[size_] = '\0';
}

namespace detail {

void append_unsigned(String& out, unsigned long long value, unsigned base) {
  char digits[24];
  size_t at = sizeof digits;
  do {
    digits[--at] = static_cast<char>('0' + value % base);
    value /= base;
  } while (value);
  out.append(std::string_view(digits + at, sizeof digits - at));
}

void append_signed(String& out, long long value) {
  if (value >= 0) return append_unsigned(out, static_cast<unsigned long long>(value), 10);
  out.append('-');
  // Negating in unsigned arithmetic is defined for the smallest number too.
  append_unsigned(out, 0ULL - static_cast<unsigned long long>(value), 10);
}

}  // namespace detail
}  // namespace nsbox
