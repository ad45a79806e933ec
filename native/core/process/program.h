#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/error.h"
#include "core/base/vector.h"

namespace nsbox {

// A program of somebody else's that is run to its end.
struct ProgramRequest {
  std::string_view path;
  std::span<const std::string_view> args = {};  // args[0] too.
  std::span<const std::string_view> env = {};   // All that it gets.
  std::string_view input = {};                  // Its standard input.
  std::optional<uint64_t> timeout_ns = {};      // It is killed then.
  int output = -1;  // Where its standard output and error go; -1: into ProgramEnd::output.
  int error_output = -1;
  // For a program that takes part in something: descriptors that it inherits, at numbers from 3 on.
  std::span<const int> fds = {};
};

struct ProgramEnd {
  int wait_status = 0;
  bool timed_out = false;
  String output;        // The first 64 KiB of it.
  String error_output;  // Likewise.

  bool succeeded() const { return !timed_out && wait_status == 0; }
  // "exit status 3", "signal: killed"
  String how() const;
};

// A failure is that it could not be started.
Result<ProgramEnd> run_program(const ProgramRequest& request);

}  // namespace nsbox
