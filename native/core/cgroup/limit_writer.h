#pragma once

#include <initializer_list>
#include <string_view>

#include "core/cgroup/cgroup.h"

// What the setters of limits have in common: they find a controller's directory and tell a failure in one
// form.
namespace nsbox::cgroup {

// The hierarchy of a limit's controller; an error (kNoController) that names the limit when the group has not
// got it.
Result<const Hierarchy*> hierarchy_for(const GroupSet& set, Controller controller, std::string_view limit);

// "set memory limit to 4096 (memory.max): EBUSY (Device or resource busy): the group uses more than that".
Error limit_error(std::string_view limit, std::string_view file, std::string_view value, const Error& error);

// Writes one file; a failure is told as above.
Status set_limit(const Hierarchy& group, std::string_view limit, const char* file, std::string_view value);
// The first of the files that this kernel has.
Status set_first_limit(const Hierarchy& group, std::string_view limit,
                       std::initializer_list<const char*> files, std::string_view value);

// "max" for a negative value.
String number_or_max(int64_t value);
// A limit that v2 has nothing like.
Error not_in_v2(std::string_view limit);
// Part of a line for the kernel: visible characters only, so that one entry cannot smuggle in a second.
Status check_word(std::string_view limit, std::string_view word);

Status apply_memory(const GroupSet& set, const MemoryLimits& memory);
Status apply_cpu(const GroupSet& set, const CpuLimits& cpu);
Status apply_block_io(const GroupSet& set, const BlockIoLimits& io);

bool limits_cpu_time(const CpuLimits& cpu);
bool limits_memory(const MemoryLimits& memory);
bool limits_block_io(const BlockIoLimits& io);

}  // namespace nsbox::cgroup
