#include "core/cgroup/unit_name.h"

#include "core/base/text.h"

namespace nsbox::cgroup {

namespace {

constexpr size_t kMaxUnitName = 255;
constexpr std::string_view kSlice = ".slice", kScope = ".scope";

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// systemd's own rule for the names of units.
Status check_unit(std::string_view name) {
  constexpr std::string_view kOthers = ":-_.\\@";
  bool good = name.size() > kScope.size() && name.size() <= kMaxUnitName && name[0] != '.' && name[0] != '@';
  for (const char c : name) good = good && (is_alphanumeric(c) || kOthers.find(c) != std::string_view::npos);
  if (good) return Ok{};
  return Error::invalid("not a name for a systemd unit: \"", name, '"');
}

Error wrong_form(std::string_view path) {
  return Error::invalid("linux.cgroupsPath has the form slice:prefix:name with systemd, which \"", path,
                        "\" has not");
}

// The slice above: "a.slice" for "a-b.slice", the root for "a.slice".
String slice_above(std::string_view slice) {
  const std::string_view stem = slice.substr(0, slice.size() - kSlice.size());
  const size_t dash = stem.rfind('-');
  if (dash == std::string_view::npos || dash == 0) return String("-.slice");
  return format(stem.substr(0, dash), kSlice);
}

Result<String> slice_of(std::string_view text, Manager manager) {
  if (text.empty()) text = manager == Manager::kUser ? "user.slice" : "system.slice";
  if (text == "-") text = "-.slice";
  TRY(expand_slice(text));
  return String(text);
}

}  // namespace

Result<String> expand_slice(std::string_view slice) {
  if (slice == "-.slice") return String("/");
  TRY(check_unit(slice));
  if (!slice.ends_with(kSlice)) return Error::invalid("not a slice of systemd's: \"", slice, '"');
  const std::string_view stem = slice.substr(0, slice.size() - kSlice.size());
  String path, name;
  for (const std::string_view part : split(stem, '-')) {
    if (part.empty()) return Error::invalid("a slice's name has an empty part: \"", slice, '"');
    append(name, name.empty() ? "" : "-", part);
    append(path, '/', name, kSlice);
  }
  return path;
}

Result<UnitName> parse_unit_name(std::string_view cgroups_path, std::string_view container_id,
                                 Manager manager) {
  const String by_default = format(":nsbox:", container_id);
  const auto parts = split(cgroups_path.empty() ? by_default.view() : cgroups_path, ':');
  if (parts.size() != 3 || parts[2].empty()) return wrong_form(cgroups_path);
  UnitName name;
  name.is_slice = parts[2].ends_with(kSlice);
  if (name.is_slice) {
    name.unit = String(parts[2]);
    TRY(expand_slice(name.unit));
    name.slice = slice_above(name.unit);
    return name;
  }
  name.slice = TRY(slice_of(parts[0], manager));
  name.unit = format(parts[1], parts[1].empty() ? "" : "-", parts[2], kScope);
  TRY(check_unit(name.unit));
  return name;
}

String unit_object_path(std::string_view unit) {
  constexpr std::string_view kHex = "0123456789abcdef";
  String path("/org/freedesktop/systemd1/unit/");
  const size_t start = path.size();
  for (const char c : unit) {
    const bool digit = c >= '0' && c <= '9';
    if (is_alphanumeric(c) && !(digit && path.size() == start)) {
      path.append(c);
    } else {
      const auto byte = static_cast<uint8_t>(c);
      append(path, '_', kHex[byte >> 4], kHex[byte & 15]);
    }
  }
  return path;
}

}  // namespace nsbox::cgroup
