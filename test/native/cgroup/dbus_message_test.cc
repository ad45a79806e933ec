#include "core/cgroup/dbus_errors.h"
#include "core/cgroup/dbus_reader.h"
#include "core/cgroup/dbus_signature.h"
#include "core/cgroup/dbus_writer.h"
#include "dbus_bytes.h"
#include "test.h"

using namespace nsbox;
using namespace nsbox::cgroup::dbus;
using namespace nsbox::test;

namespace {

const std::string kHello = bytes_of(
    "6c010001 00000000 01000000 6d000000"
    "01016f00 15000000 '/org/freedesktop/DBus' 00 0000"
    "02017300 14000000 'org.freedesktop.DBus' 00 000000"
    "03017300 05000000 'Hello' 00 0000"
    "06017300 14000000 'org.freedesktop.DBus' 00 000000");

// JobRemoved: a number, the job's path, the unit, the result.
const std::string kJobRemoved = bytes_of(
    "6c040101 41000000 09000000 7a000000"
    "01016f00 19000000 '/org/freedesktop/systemd1' 00 000000000000"
    "02017300 20000000 'org.freedesktop.systemd1.Manager' 00 00000000000000"
    "03017300 0a000000 'JobRemoved' 00 0000000000"
    "08016700 04 'uoss' 00 000000000000"
    "2a000000 20000000 '/org/freedesktop/systemd1/job/42' 00 000000"
    "07000000 'x.scope' 00 04000000 'done' 00");

// The same signature and body behind another header would do; here is the least that a return has.
std::string reply(std::string_view signature, std::string_view body) {
  Writer out;
  out.byte('l').byte(2).byte(0).byte(1).uint32(static_cast<uint32_t>(body.size())).uint32(7);
  const Writer::Array fields = out.begin_array(8);
  out.begin_struct().byte(5).variant("u").uint32(3);
  if (!signature.empty()) out.begin_struct().byte(8).variant("g").signature(signature);
  out.end_array(fields);
  out.align(8);
  return std::string(out.view()) + std::string(body);
}

bool is_good(const std::string& message) { return static_cast<bool>(parse_message(message)); }
bool is_good(std::string_view signature, std::string_view body) {
  return is_good(reply(signature, bytes_of(body)));
}

std::string refusal(const std::string& message) {
  auto parsed = parse_message(message);
  return parsed ? "good" : std::string(parsed.error().message().view());
}

}  // namespace

TEST("dbus: a call is written as the specification has it") {
  const Call hello = {
      "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", "", ""};
  auto written = encode(hello, 1);
  EXPECT(written);
  // The last field's padding belongs to the header, not to the array of fields.
  EXPECT_EQ(shown_bytes(*written), shown_bytes(kHello));
}

TEST("dbus: values lie at their natural alignment") {
  Writer out;
  out.byte(1).uint16(0x0302).byte(4).uint32(0x08070605).boolean(true).uint64(9).int16(-2).string("ab");
  EXPECT_EQ(shown_bytes(out.view()), shown_bytes(bytes_of("01 00 0203 04 000000 05060708 01000000"
                                                          "0900000000000000 feff 0000 02000000 'ab' 00")));
}

TEST("dbus: properties are an array of structs with a variant each, wherever the array begins") {
  Properties all;
  all.text("Slice", "a.slice");
  all.boolean("Delegate", true);
  all.uint64("TasksMax", 5);
  all.numbers("PIDs", 258);
  all.texts("Wants", "a");
  all.bytes("AllowedCPUs", "\x03");
  Writer out;
  out.byte(0xff);
  all.write_to(out);
  const std::string start = bytes_of(
      "ff 000000 a1000000"
      "05000000 'Slice' 00 01 's' 00 000000 07000000 'a.slice' 00 00000000"
      "08000000 'Delegate' 00 01 'b' 00 01000000 00000000"
      "08000000 'TasksMax' 00 01 't' 00 0500000000000000");
  EXPECT_EQ(shown_bytes(out.view().substr(0, start.size())), shown_bytes(start));
  // Read back, the values are the ones that were written.
  Writer body;
  all.write_to(body);
  const std::string whole = reply("a(sv)", body.view());
  auto message = parse_message(whole);
  EXPECT(message);
  if (!message) return;
  auto list = Reader(*message).array();
  std::string told;
  while (list && list->next()) {
    auto entry = list->structure();
    told += std::string(entry->string().value_or("?")) + "=";
    auto value = entry->variant();
    if (value->next() == 's') told += value->string().value_or("?");
    if (value->next() == 'b') told += value->boolean().value_or(false) ? "yes" : "no";
    if (value->next() == 't') told += std::to_string(value->uint64().value_or(0));
    if (value->next() == 'a') {
      auto inner = value->array();
      while (inner && inner->next()) {
        if (inner->next() == 'u')
          told += std::to_string(inner->uint32().value_or(0));
        else if (inner->next() == 's')
          told += inner->string().value_or("?");
        else
          told += std::to_string(inner->byte().value_or(0));
      }
    }
    told += " ";
  }
  EXPECT_EQ(told, "Slice=a.slice Delegate=yes TasksMax=5 PIDs=258 Wants=a AllowedCPUs=3 ");
}

TEST("dbus: a signal is read") {
  EXPECT_EQ(refusal(kJobRemoved), "good");
  auto message = parse_message(kJobRemoved);
  if (!message) return;
  EXPECT_EQ(static_cast<int>(message->type), static_cast<int>(MessageType::kSignal));
  EXPECT_EQ(message->member, "JobRemoved");
  EXPECT_EQ(message->path, "/org/freedesktop/systemd1");
  Reader body(*message);
  EXPECT_EQ(body.uint32().value_or(0), 42U);
  EXPECT_EQ(body.string().value_or("?"), "/org/freedesktop/systemd1/job/42");
  EXPECT_EQ(body.string().value_or("?"), "x.scope");
  EXPECT_EQ(body.string().value_or("?"), "done");
  EXPECT_EQ(body.next(), '\0');
  EXPECT(!body.string());
}

TEST("dbus: a value of another type is not read") {
  const std::string whole = reply("us", bytes_of("05000000 01000000 'a' 00"));
  auto message = parse_message(whole);
  EXPECT(message);
  Reader body(*message);
  EXPECT(!body.string());
  EXPECT(!body.uint64());
  EXPECT(!body.array());
  EXPECT_EQ(body.uint32().value_or(0), 5U);
  EXPECT(!body.variant());
  EXPECT(body.skip());
  EXPECT(!body.skip());
}

TEST("dbus: an error is told with its name, its text and an errno") {
  Message message;
  message.type = MessageType::kError;
  message.error_name = "org.freedesktop.systemd1.NoSuchUnit";
  message.signature = "s";
  const std::string body = bytes_of("0c000000 'not ' 0a 'loaded.' 00");
  message.body = body;
  EXPECT_EQ(std::string(error_of(message).message().view()),
            "org.freedesktop.systemd1.NoSuchUnit: not ?loaded.");
  EXPECT_EQ(error_of(message).err(), ENOENT);
}

TEST("dbus: what is cut off, too long or of another kind is refused") {
  for (size_t size = 0; size < kJobRemoved.size(); size++) EXPECT(!is_good(kJobRemoved.substr(0, size)));
  EXPECT(!is_good(kJobRemoved + std::string(1, '\0')));
  std::string other = kJobRemoved;
  other[0] = 'B';
  EXPECT_EQ(refusal(other), "a malformed D-Bus message: it is not little-endian");
  other = kJobRemoved;
  other[3] = 2;
  EXPECT_EQ(refusal(other), "a malformed D-Bus message: it is of another version");
  other = kJobRemoved;
  other[6] = '\x20';  // Two megabytes of body.
  EXPECT_EQ(refusal(other), "a D-Bus message of more than 1048576 bytes");
  other = kJobRemoved;
  other[8] = 0;
  EXPECT_EQ(refusal(other), "a malformed D-Bus message: it has no serial number");
}

TEST("dbus: a body that is not what its signature says is refused") {
  EXPECT(is_good("", ""));
  EXPECT(!is_good("", "00"));
  EXPECT(is_good("u", "01000000"));
  EXPECT(!is_good("u", "010000"));
  EXPECT(!is_good("u", "0100000000"));
  EXPECT(!is_good("b", "02000000"));
  EXPECT(is_good("yu", "01 000000 01000000"));
  EXPECT(!is_good("yu", "01 000001 01000000"));  // Padding is zero.
  EXPECT(is_good("s", "01000000 'a' 00"));
  EXPECT(!is_good("s", "01000000 'ab'"));
  EXPECT(!is_good("s", "02000000 'a' 00 00"));  // No NUL inside.
  EXPECT(!is_good("s", "ffffffff 'a' 00"));
  EXPECT(!is_good("o", "01000000 'a' 00"));
  EXPECT(is_good("o", "02000000 '/a' 00"));
  EXPECT(is_good("g", "02 'as' 00"));
  EXPECT(!is_good("g", "01 'a' 00"));
  EXPECT(is_good("v", "01 'u' 00 00 01000000"));
  EXPECT(!is_good("v", "02 'uu' 00 01000000 01000000"));
  EXPECT(!is_good("v", "00 00"));
  EXPECT(is_good("as", "00000000"));
  EXPECT(is_good("at", "00000000 00000000"));  // The padding is there even without an element.
  EXPECT(!is_good("at", "00000000"));
  EXPECT(!is_good("at", "04000000 00000000 01000000"));
  EXPECT(!is_good("as", "05000000 01000000 'a' 00"));
  EXPECT(is_good("a{sv}", "10000000 00000000 01000000 'a' 00 01 'u' 00 000000 07000000"));
  EXPECT(!is_good("a{sv}", "0f000000 00000000 01000000 'a' 00 01 'u' 00 000000 070000"));
  EXPECT(!is_good("(", ""));
  EXPECT(!is_good("a", ""));
  EXPECT(!is_good("{sv}", ""));
}

TEST("dbus: signatures and object paths") {
  for (const char* each : {"", "s", "a(sv)", "ssa(sv)a(sa(sv))", "a{sv}", "aaay", "v", "(i)", "a{s(ii)}"})
    EXPECT(is_signature(each));
  for (const char* each :
       {"a", "(", "()", "(i", ")", "{sv}", "a{vs}", "a{s}", "a{sss}", "z", "a{sv", "r", " "})
    EXPECT(!is_signature(each));
  EXPECT(!is_signature(std::string(256, 's')));
  EXPECT(!is_signature(std::string(100, 'a') + "s"));
  EXPECT(is_signature(std::string(32, 'a') + "s"));
  for (const char* each : {"/", "/a", "/a_1/B"}) EXPECT(is_object_path(each));
  for (const char* each : {"", "a", "//", "/a/", "/a//b", "/a-b", "/a.b"}) EXPECT(!is_object_path(each));
}

TEST("dbus: variants in variants end at a depth") {
  const auto nested = [](size_t depth) {
    std::string body;
    for (size_t i = 0; i < depth; i++) body += bytes_of("01 'v' 00");
    return body + bytes_of("01 'y' 00 07");
  };
  EXPECT(is_good(reply("v", nested(30))));
  EXPECT(!is_good(reply("v", nested(100))));
  EXPECT(!is_good(reply("v", nested(100'000))));
}
