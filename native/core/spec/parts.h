#pragma once

#include "core/spec/config.h"
#include "core/spec/reader.h"

// The parts of a configuration that files of their own read; parse.cc puts them together.
namespace nsbox {

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
