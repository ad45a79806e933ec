#pragma once

#include <cstdio>
#include <sstream>
#include <string>
#include <string_view>

// The unit tests' harness: TEST("what holds") { EXPECT(...); EXPECT_EQ(a, b); }. The programs print "N
// passed, N failed" and are built hosted, with AddressSanitizer and UndefinedBehaviorSanitizer.
namespace nsbox::test {

using Body = void (*)();

void add(const char* file, const char* name, Body body);
void fail(const char* file, int line, const std::string& what);
// How often the test that runs has failed so far.
int failures();
// Ends the test as skipped, with the reason printed; a failure where NSBOX_MUST_WORK=1.
void skip(const char* reason);
// Skipped even where everything must work: no machine has cgroup v1 and v2 with one and the same controller,
// and the other kind runs the test.
void skip_on_this_machine(const char* reason);

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

template <typename A, typename B>
void expect_equal(const char* file, int line, const char* what, const A& a, const B& b) {
  if (!(a == b)) fail(file, line, std::string(what) + ": " + show(a) + " != " + show(b));
}

struct Registration {
  Registration(const char* file, const char* name, Body body) { add(file, name, body); }
};

}  // namespace nsbox::test

#define NSBOX_JOIN2(a, b) a##b
#define NSBOX_JOIN(a, b) NSBOX_JOIN2(a, b)
#define TEST(name)                                                                 \
  static void NSBOX_JOIN(test_body_, __LINE__)();                                  \
  static const nsbox::test::Registration NSBOX_JOIN(test_registration_, __LINE__)( \
      __FILE__, name, &NSBOX_JOIN(test_body_, __LINE__));                          \
  static void NSBOX_JOIN(test_body_, __LINE__)()
#define EXPECT(condition)                                                \
  do {                                                                   \
    if (!(condition)) nsbox::test::fail(__FILE__, __LINE__, #condition); \
  } while (0)
// Both sides live until the comparison is done, temporaries that they point into as well.
#define EXPECT_EQ(a, b) nsbox::test::expect_equal(__FILE__, __LINE__, #a " == " #b, (a), (b))
