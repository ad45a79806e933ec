// What a bus or systemd answers: a stream of messages, each read to its last value, and errors told. Whatever
// they are, nothing outside them is read, and a body that was accepted has the values that its signature
// promises.
#include <cstdint>
#include <cstdlib>

#include "core/cgroup/dbus_address.h"
#include "core/cgroup/dbus_errors.h"
#include "core/cgroup/dbus_reader.h"
#include "core/cgroup/dbus_writer.h"
#include "target.h"

using namespace nsbox;
using namespace nsbox::cgroup;

namespace {

// Every value must be there: the message has been checked.
template <typename Value>
Value must(std::optional<Value> value) {
  if (!value) std::abort();
  return *value;
}

void read_values(dbus::Reader reader, unsigned depth) {
  while (const char type = reader.next()) {
    if (depth > 70) std::abort();
    switch (type) {
      case 'y':
        must(reader.byte());
        break;
      case 'b':
        must(reader.boolean());
        break;
      case 'q':
        must(reader.uint16());
        break;
      case 'u':
        must(reader.uint32());
        break;
      case 't':
        must(reader.uint64());
        break;
      case 's':
      case 'o':
      case 'g':
        if (must(reader.string()).find('\0') != std::string_view::npos) std::abort();
        break;
      case 'v':
        read_values(must(reader.variant()), depth + 1);
        break;
      case 'a':
        read_values(must(reader.array()), depth + 1);
        break;
      case '(':
      case '{':
        read_values(must(reader.structure()), depth + 1);
        break;
      default:
        if (!reader.skip()) std::abort();
    }
  }
}

void read_stream(std::string_view rest) {
  while (rest.size() >= dbus::kFixedHeader) {
    auto size = dbus::message_size(rest);
    if (!size || *size > rest.size()) return;
    if (*size < dbus::kFixedHeader || *size > dbus::kMaxMessage) std::abort();
    if (auto message = dbus::parse_message(rest.substr(0, *size))) {
      read_values(dbus::Reader(*message), 0);
      const Error error = dbus::error_of(*message);
      if (error.message().view().find('\n') != std::string_view::npos) std::abort();
    }
    rest.remove_prefix(*size);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  read_stream(input);
  (void)dbus::parse_addresses(input);
  return 0;
}

namespace nsbox::fuzz {

namespace {

std::string message(uint8_t type, std::string_view signature, const dbus::Writer& body) {
  dbus::Writer out;
  out.byte('l').byte(type).byte(0).byte(1).uint32(static_cast<uint32_t>(body.view().size())).uint32(9);
  const auto fields = out.begin_array(8);
  out.begin_struct().byte(1).variant("o").string("/org/freedesktop/systemd1");
  out.begin_struct().byte(2).variant("s").string("org.freedesktop.systemd1.Manager");
  out.begin_struct().byte(3).variant("s").string("JobRemoved");
  out.begin_struct().byte(4).variant("s").string("org.freedesktop.systemd1.NoSuchUnit");
  out.begin_struct().byte(5).variant("u").uint32(7);
  if (!signature.empty()) out.begin_struct().byte(8).variant("g").signature(signature);
  out.end_array(fields);
  out.align(8).raw(body.view());
  return std::string(out.view());
}

}  // namespace

std::vector<std::string> seeds() {
  dbus::Properties properties;
  properties.text("Slice", "a.slice");
  properties.boolean("Delegate", true);
  properties.uint64("MemoryMax", UINT64_MAX);
  properties.numbers("PIDs", 5);
  properties.texts("Wants", "b.slice");
  properties.bytes("AllowedCPUs", "\x03\x01");
  dbus::Writer list;
  properties.write_to(list);
  dbus::Writer names;
  const auto array = names.begin_array(4);
  names.string("org.freedesktop.DBus").string(":1.0");
  names.end_array(array);
  const std::string signal =
      message(4, "uoss", dbus::Writer().uint32(1).string("/job/1").string("a.scope").string("done"));
  return {signal,
          signal + message(2, "o", dbus::Writer().string("/job/1")),
          message(3, "s", dbus::Writer().string("Unit not loaded.")),
          message(2, "v", dbus::Writer().variant("s").string("252.1")),
          message(2, "v", dbus::Writer().variant("v").variant("t").uint64(5)),
          message(2, "a(sv)", list),
          message(2, "as", names),
          message(2, "(yb)nqixd",
                  dbus::Writer().byte(1).boolean(true).int16(2).uint16(3).int32(4).int64(5).real(6)),
          message(2, "", {}),
          "unix:path=/run/user/0/bus,guid=ab;unix:abstract=%2fa;tcp:host=b"};
}

std::vector<std::string> words() {
  return {"a{sv}",
          "a(sv)",
          "as",
          "ay",
          "(ii)",
          "aas",
          "v",
          "g",
          std::string(1, '\0'),
          "unix:",
          "path=",
          ";",
          ",",
          "%00",
          "l\2\0\1",
          "a{s(iv)}",
          std::string("\1v\0", 3),
          std::string("\1s\0", 3),
          std::string(8, '\0'),
          std::string("\xff\xff\xff\xff", 4)};
}

}  // namespace nsbox::fuzz
