#include "core/cgroup/dbus_errors.h"

#include <cerrno>

namespace nsbox::cgroup::dbus {

namespace {

constexpr size_t kMaxText = 512;

struct Meaning {
  std::string_view name;
  int err;
};
constexpr Meaning kMeanings[] = {
    {"org.freedesktop.systemd1.NoSuchUnit", ENOENT},
    {"org.freedesktop.systemd1.UnitExists", EEXIST},
    {"org.freedesktop.systemd1.UnitMasked", EACCES},
    {"org.freedesktop.DBus.Error.AccessDenied", EACCES},
    {"org.freedesktop.DBus.Error.AuthFailed", EACCES},
    {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", EACCES},
    {"org.freedesktop.DBus.Error.InvalidArgs", EINVAL},
    {"org.freedesktop.DBus.Error.PropertyReadOnly", EINVAL},
    {"org.freedesktop.DBus.Error.UnknownProperty", EINVAL},
    {"org.freedesktop.DBus.Error.UnknownObject", ENOENT},
    {"org.freedesktop.DBus.Error.ServiceUnknown", ENOENT},
    {"org.freedesktop.DBus.Error.UnixProcessIdUnknown", ESRCH},
    {"System.Error.ESRCH", ESRCH},
    {"org.freedesktop.DBus.Error.NoReply", ETIMEDOUT},
    {"org.freedesktop.DBus.Error.Timeout", ETIMEDOUT},
    {"org.freedesktop.DBus.Error.TimedOut", ETIMEDOUT},
};

int errno_of(std::string_view name) {
  for (const Meaning& each : kMeanings)
    if (each.name == name) return each.err;
  return EIO;
}

// What the other side says ends in a log's line: one line of plain text.
String cleaned(std::string_view text) {
  String out;
  for (const char c : text.substr(0, kMaxText)) out.append(c >= ' ' && c <= '~' ? c : '?');
  return out;
}

}  // namespace

Error error_of(const Message& message) {
  Reader body(message);
  const auto text = body.next() == 's' ? body.string() : std::nullopt;
  const String name = cleaned(message.error_name);
  if (!text || text->empty()) return Error::plain(errno_of(message.error_name), name);
  return Error::plain(errno_of(message.error_name), name, ": ", cleaned(*text));
}

}  // namespace nsbox::cgroup::dbus
