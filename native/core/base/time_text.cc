#include "core/base/time_text.h"

namespace nsbox {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

void append_padded(String& out, uint64_t value, unsigned digits) {
  char text[20];
  for (unsigned i = digits; i-- > 0; value /= 10) text[i] = static_cast<char>('0' + value % 10);
  out.append(std::string_view(text, digits));
}

// The civil date of a day since 1970-01-01: years are counted from March, so that a leap day is the last one.
void append_date(String& out, uint64_t day) {
  const uint64_t since_era = day + 719'468;  // Days from 0000-03-01.
  const uint64_t era = since_era / 146'097, of_era = since_era % 146'097;
  const uint64_t year_of_era = (of_era - of_era / 1'460 + of_era / 36'524 - of_era / 146'096) / 365;
  const uint64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const uint64_t month_from_march = (5 * of_year + 2) / 153;
  const uint64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  append_padded(out, year_of_era + era * 400 + (month <= 2), 4);
  out.append('-');
  append_padded(out, month, 2);
  out.append('-');
  append_padded(out, of_year - (153 * month_from_march + 2) / 5 + 1, 2);
}

String up_to_seconds(uint64_t time) {
  String out;
  const uint64_t seconds = time / kSecond, of_day = seconds % 86'400;
  append_date(out, seconds / 86'400);
  out.append('T');
  append_padded(out, of_day / 3'600, 2);
  out.append(':');
  append_padded(out, of_day / 60 % 60, 2);
  out.append(':');
  append_padded(out, of_day % 60, 2);
  return out;
}

}  // namespace

String time_text(uint64_t nanoseconds_since_1970) {
  String out = up_to_seconds(nanoseconds_since_1970);
  out.append('.');
  append_padded(out, nanoseconds_since_1970 % kSecond, 9);
  out.append('Z');
  return out;
}

String seconds_text(uint64_t nanoseconds_since_1970) {
  String out = up_to_seconds(nanoseconds_since_1970);
  out.append('Z');
  return out;
}

}  // namespace nsbox
