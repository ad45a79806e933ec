#pragma once

#include <cstddef>
#include <string_view>

namespace nsbox::cgroup::dbus {

// Containers within containers, counted in types and in values, as the specification bounds them.
inline constexpr unsigned kMaxDepth = 64;

// How long the first complete type of the signature is; 0 when there is none.
size_t type_length(std::string_view signature, unsigned depth = 0);
// Complete types, one after the other, or nothing at all.
bool is_signature(std::string_view signature);
bool is_object_path(std::string_view path);
// Of a type's first character; 0 where no type begins so.
size_t alignment_of(char type);

// Whether a value of the signature's first type lies at `at`. Moves both behind it. The signature must be
// one.
bool walk(std::string_view& signature, std::string_view body, size_t& at, unsigned depth = 0);
// Over padding, which must be zero.
bool walk_padding(std::string_view body, size_t& at, size_t alignment);

}  // namespace nsbox::cgroup::dbus
