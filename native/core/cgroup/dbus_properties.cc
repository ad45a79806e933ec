#include "core/cgroup/dbus_writer.h"

namespace nsbox::cgroup::dbus {

void Properties::texts(std::string_view name, std::string_view value) {
  Writer& out = begin(name, "as");
  const Writer::Array array = out.begin_array(4);
  out.string(value);
  out.end_array(array);
}

void Properties::numbers(std::string_view name, uint32_t value) {
  Writer& out = begin(name, "au");
  const Writer::Array array = out.begin_array(4);
  out.uint32(value);
  out.end_array(array);
}

void Properties::bytes(std::string_view name, std::string_view value) {
  Writer& out = begin(name, "ay");
  const Writer::Array array = out.begin_array(1);
  for (const char each : value) out.byte(static_cast<uint8_t>(each));
  out.end_array(array);
}

Writer& Properties::begin(std::string_view name, std::string_view type) {
  return elements_.begin_struct().string(name).variant(type);
}

void Properties::write_to(Writer& out) const {
  const Writer::Array array = out.begin_array(8);
  out.raw(elements_.view());
  out.end_array(array);
}

}  // namespace nsbox::cgroup::dbus
