#include "core/cgroup/dbus_reader.h"
#include "core/cgroup/gvariant.h"
#include "dbus_bytes.h"
#include "test.h"

using namespace nsbox;
using namespace nsbox::cgroup;
using namespace nsbox::test;

namespace {

// The type and the marshalled value, or the refusal.
std::string property(std::string_view name, std::string_view text) {
  dbus::Properties all;
  const Status done = add_annotated_property(all, name, text);
  if (!done) return std::string(done.error().message().view());
  dbus::Writer out;
  all.write_to(out);
  return shown_bytes(out.view());
}

// What the property "Abcd" looks like with this type and value; they begin at byte 17.
std::string marshalled(std::string_view type, std::string_view value) {
  dbus::Writer out;
  out.uint32(0).align(8).string("Abcd").signature(type);
  const std::string bytes = std::string(out.view()) + bytes_of(value);
  std::string whole = bytes;
  whole[0] = static_cast<char>(bytes.size() - 8);
  return shown_bytes(whole);
}
std::string parsed(std::string_view text) { return property("Abcd", text); }
std::string refused(std::string_view why) {
  return "annotation org.systemd.property.Abcd: " + std::string(why);
}

}  // namespace

TEST("gvariant: plain values") {
  EXPECT_EQ(parsed("true"), marshalled("b", "01000000"));
  EXPECT_EQ(parsed(" false "), marshalled("b", "00000000"));
  EXPECT_EQ(parsed("30"), marshalled("i", "1e000000"));
  EXPECT_EQ(parsed("-1"), marshalled("i", "ffffffff"));
  EXPECT_EQ(parsed("+0x10"), marshalled("i", "10000000"));
  EXPECT_EQ(parsed("010"), marshalled("i", "08000000"));
  EXPECT_EQ(parsed("uint64 5"), marshalled("t", "00000000 0500000000000000"));
  EXPECT_EQ(parsed("@t 18446744073709551615"), marshalled("t", "00000000 ffffffffffffffff"));
  EXPECT_EQ(parsed("int64 -2"), marshalled("x", "00000000 feffffffffffffff"));
  EXPECT_EQ(parsed("byte 255"), marshalled("y", "ff"));
  EXPECT_EQ(parsed("uint16 258"), marshalled("q", "0201"));
  EXPECT_EQ(parsed("1.5"), marshalled("d", "00000000 000000000000f83f"));
  EXPECT_EQ(parsed("15e-1"), marshalled("d", "00000000 000000000000f83f"));
  EXPECT_EQ(parsed("double 2"), marshalled("d", "00000000 0000000000000040"));
  EXPECT_EQ(parsed("'a\\n\\u00e9\\'\"'"), marshalled("s", "06000000 'a' 0a c3a9 27 '\"' 00"));
  EXPECT_EQ(parsed("\"it's\""), marshalled("s", "04000000 'it' 27 's' 00"));
  EXPECT_EQ(parsed("objectpath '/a'"), marshalled("o", "02000000 '/a' 00"));
  EXPECT_EQ(parsed("signature 'as'"), marshalled("g", "02 'as' 00"));
}

TEST("gvariant: values with values in them") {
  EXPECT_EQ(parsed("['a', 'b']"), marshalled("as", "000000 0e000000 01000000 'a' 00 0000 01000000 'b' 00"));
  EXPECT_EQ(parsed("@as []"), marshalled("as", "000000 00000000"));
  EXPECT_EQ(parsed("[byte 1, 2]"), marshalled("ay", "000000 02000000 0102"));
  EXPECT_EQ(parsed("[1, uint16 2]"), marshalled("aq", "000000 04000000 0100 0200"));
  EXPECT_EQ(parsed("b'ab'"), marshalled("ay", "000000 03000000 'ab' 00"));
  EXPECT_EQ(parsed("(1, 'x')"), marshalled("(is)", "00 01000000 01000000 'x' 00"));
  EXPECT_EQ(parsed("(1, 'x')"), parsed("(1,'x',)"));
  EXPECT_EQ(parsed("<byte 5>"), marshalled("v", "01 'y' 00 05"));
  EXPECT_EQ(parsed("{'k': <byte 5>}"), marshalled("a{sv}", "0a000000 00000000 01000000 'k' 00 01 'y' 00 05"));
  EXPECT_EQ(parsed("@a{sv} {}"), marshalled("a{sv}", "00000000 00000000"));
}

TEST("gvariant: what is no value, or not one of its type, is refused") {
  EXPECT_EQ(parsed(""), refused("not a value: \"\""));
  EXPECT_EQ(parsed("yes"), refused("not a value: \"yes\""));
  EXPECT_EQ(parsed("1 2"), refused("there is more behind its end: 2"));
  EXPECT_EQ(parsed("'a"), refused("a text has no closing '"));
  EXPECT_EQ(parsed("[]"), refused("what has nothing in it needs a type: @as []"));
  EXPECT_EQ(parsed("()"), refused("D-Bus has no empty tuple"));
  EXPECT_EQ(parsed("[1, 'a']"), refused("a value is not of the type s"));
  EXPECT_EQ(parsed("byte 256"), refused("the number 256 is too large for its type"));
  EXPECT_EQ(parsed("uint32 -1"), refused("the number -1 is too large for its type"));
  EXPECT_EQ(parsed("3000000000"), refused("the number 3000000000 is too large for its type"));
  EXPECT_EQ(parsed("18446744073709551616"), refused("not a value: \"18446744073709551616\""));
  EXPECT_EQ(parsed("uint64 'a'"), refused("a value is not of the type t"));
  EXPECT_EQ(parsed("uint64 true"), refused("a value is not of the type t"));
  EXPECT_EQ(parsed("@h 1"), refused("a value is not of the type h"));
  EXPECT_EQ(parsed("@zz 1"), refused("not a type: @zz 1"));
  EXPECT_EQ(parsed("just 1"), refused("not a value: \"just\""));
  EXPECT_EQ(parsed("{['a']: 1}"), refused("D-Bus has no type a{asi}"));
  EXPECT_EQ(parsed("'\\u0000'"), refused("a wrong escape in a text"));
  EXPECT_EQ(parsed(std::string_view("'a\0'", 4)), refused("a wrong escape in a text"));
  EXPECT_EQ(parsed(std::string_view("'a\\\0'", 5)), refused("a wrong escape in a text"));
  EXPECT_EQ(parsed("objectpath 'a'"), refused("not an object path: a"));
  EXPECT_EQ(parsed(std::string(100, '[')), refused("it is nested too deep, or too long"));
  EXPECT_EQ(parsed("@a(ss) [('a', 'b', 'c')]"), refused("a value is not of the type (ss)"));
  EXPECT_EQ(parsed("@a(ss) [('a',)]"), refused("a value is not of the type (ss)"));
}

TEST("gvariant: a time in seconds becomes systemd's in microseconds") {
  EXPECT_EQ(property("TimeoutStopSec", "5"), property("TimeoutStopUSec", "uint64 5000000"));
  EXPECT_EQ(property("TimeoutStopSec", "1.5"), property("TimeoutStopUSec", "uint64 1500000"));
  EXPECT_EQ(property("TimeoutStopSec", "uint32 2"), property("TimeoutStopUSec", "uint64 2000000"));
  EXPECT_EQ(property("TimeoutStopSec", "-5"),
            "annotation org.systemd.property.TimeoutStopSec: not a number of seconds");
  EXPECT_EQ(property("TimeoutStopSec", "uint64 18446744073709551615"),
            "annotation org.systemd.property.TimeoutStopSec: not a number of seconds");
  EXPECT_EQ(property("TimeoutStopSec", "'5'"),
            "annotation org.systemd.property.TimeoutStopSec: not a number of seconds");
}

TEST("gvariant: only what can be a property's name is one") {
  for (const char* name : {"", "A", "A b", "A.b.c", "Exec\nStart", "Über"})
    EXPECT_EQ(property(name, "1"),
              "annotation org.systemd.property." + std::string(name) + ": not a property's name");
}
