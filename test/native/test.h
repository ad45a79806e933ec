#pragma once

#include <cstdio>
#include <sstream>
#include <string>
#include <string_view>

// The unit tests' harness: TEST("what holds") { EXPECT(...); EXPECT_EQ(a, b); }. The programs print "N passed,
// N failed" and are built hosted, with AddressSanitizer and UndefinedBehaviorSanitizer.
namespace nsbox::test {

using Body = void (*)();

void add(const char* name, Body body);
void fail(const char* file, int line, const std::string& what);
// Ends the test as skipped, with the reason printed; a failure where NSBOX_MUST_WORK=1.
void skip(const char* reason);

template <typename T>
std::string show(const T& value) {
  std::ostringstream out;
  if constexpr (requires { out << value; })
    out << value;
  else if constexpr (std::is_convertible_v<T, std::string_view>)
    out << std::string_view(value);
  else
    out << "(value)";
  return out.str();
}

struct Registration {
  Registration(const char* name, Body body) { add(name, body); }
};

}  // namespace nsbox::test

#define NSBOX_JOIN2(a, b) a##b
#define NSBOX_JOIN(a, b) NSBOX_JOIN2(a, b)
#define TEST(name)                                                                              \
  static void NSBOX_JOIN(test_body_, __LINE__)();                                               \
  static const nsbox::test::Registration NSBOX_JOIN(test_registration_, __LINE__)(              \
      name, &NSBOX_JOIN(test_body_, __LINE__));                                                 \
  static void NSBOX_JOIN(test_body_, __LINE__)()
#define EXPECT(condition) \
  do {                    \
    if (!(condition)) nsbox::test::fail(__FILE__, __LINE__, #condition); \
  } while (0)
#define EXPECT_EQ(a, b)                                                                          \
  do {                                                                                           \
    const auto& left_value = (a);                                                                \
    const auto& right_value = (b);                                                               \
    if (!(left_value == right_value))                                                            \
      nsbox::test::fail(__FILE__, __LINE__,                                                      \
                        std::string(#a " == " #b ": ") + nsbox::test::show(left_value) + " != " + \
                            nsbox::test::show(right_value));                                     \
  } while (0)
