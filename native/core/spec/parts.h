#pragma once

#include "core/spec/config.h"
#include "core/spec/reader.h"

// The parts of a configuration that files of their own read; parse.cc puts them together.
namespace nsbox {

// The number of the name in that field, for `number_of` to know. Answers the name.
template <typename Number>
Result<std::string_view> read_named(const Reader& object, std::string_view field,
                                    std::optional<Number> (*number_of)(std::string_view), Number& out) {
  std::string_view name;
  TRY(object.read(field, name));
  const auto number = number_of(name);
  if (!number) return object.refuse(field, format("unknown ", field, " ", name));
  out = *number;
  return name;
}

// The bits of the names in "flags".
template <typename Number>
Status read_flags(const Reader& object, std::optional<Number> (*bit_of)(std::string_view), Number& out) {
  Vector<std::string_view> flags;
  TRY(object.read("flags", flags));
  for (std::string_view flag : flags) {
    const auto bit = bit_of(flag);
    if (!bit) return object.refuse("flags", format("unknown flag ", flag));
    out |= *bit;
  }
  return Ok{};
}

Status read_hooks(const Reader& hooks, Hooks& out);
Status read_annotations(const Reader& texts, Vector<Annotation>& out);
// "NAME=value" each, as environ(7) has them.
Status read_environment(const Reader& object, Vector<std::string_view>& out);
// Refuses parameters that belong to no namespace in `out.namespaces`, which is read before.
Status read_sysctls(const Reader& object, Config& out, Arena& arena);
// process.scheduler, ioPriority and execCPUAffinity
Status read_scheduling(const Reader& process, ProcessSpec& out);
// What of `linux` is neither namespaces, mappings, devices, paths nor sysctls.
Status read_linux_extras(const Reader& linux_object, Config& out);

}  // namespace nsbox
