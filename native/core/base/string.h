#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace nsbox {

// A growable text that always ends in a NUL, so that it can be handed to the kernel as it is.
class String {
 public:
  String() = default;
  explicit String(std::string_view text) { append(text); }
  String(const String& other) { append(other.view()); }
  String(String&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  String& operator=(String other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ~String() { delete[] data_; }

  const char* c_str() const { return data_ ? data_ : ""; }
  char* data() { return data_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::string_view view() const { return {c_str(), size_}; }
  operator std::string_view() const { return view(); }  // NOLINT: a String is read as text everywhere.

  void append(std::string_view text);
  void append(char c) { append(std::string_view(&c, 1)); }
  void truncate(size_t size);
  void reserve(size_t size);

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// A number written in base 8, as modes are.
struct Octal {
  unsigned value;
};

namespace detail {
void append_signed(String& out, long long value);
void append_unsigned(String& out, unsigned long long value, unsigned base);

inline void append_part(String& out, std::string_view text) { out.append(text); }
inline void append_part(String& out, const char* text) { out.append(std::string_view(text)); }
inline void append_part(String& out, const String& text) { out.append(text.view()); }
inline void append_part(String& out, char c) { out.append(c); }
inline void append_part(String& out, Octal number) { append_unsigned(out, number.value, 8); }
template <std::integral Number>
requires(!std::same_as<Number, char> && !std::same_as<Number, bool>) void append_part(String& out,
                                                                                      Number number) {
  if constexpr (std::is_signed_v<Number>)
    append_signed(out, number);
  else
    append_unsigned(out, number, 10);
}
}  // namespace detail

template <typename... Parts>
void append(String& out, const Parts&... parts) {
  (detail::append_part(out, parts), ...);
}

// One text from parts: format("/proc/self/fd/", fd).
template <typename... Parts>
String format(const Parts&... parts) {
  String out;
  append(out, parts...);
  return out;
}

}  // namespace nsbox
