#pragma once

#include <cstdint>

// What a box's init and its starter say to each other after the plan, one message each.
namespace nsbox {

enum class RequestKind : uint32_t {
  kGo = 1,    // The id maps are written.
  kExec = 2,  // Start a process: the JSON of an OCI process follows; with stdin, stdout, stderr (none with a
              // tty).
  kSignal = 3,     // `value` to the process `id`.
  kFiles = 4,      // Send the descriptors of the root and of each overlay's upper directory.
  kSignalAll = 5,  // `value` to every process but init.
};

struct Request {
  RequestKind kind;
  uint32_t id = 0;  // The starter's name for a process, unique in the box.
  int32_t value = 0;
  uint32_t text_size = 0;
};

enum class ReplyKind : uint32_t {
  kReady = 1,  // The box stands; no process yet.
  kStarted =
      2,  // `id` runs, with `value` as its pid inside; the terminal's descriptor comes along if it has one.
  kFailed =
      3,  // `id` (0: the box itself) could not be started: errno in `value`, exit status in `status`, text.
  kExited = 4,  // `id` ended: wait status in `value`, and what it used.
  kFiles = 5,   // JSON: the targets of the overlays; descriptors: root, then each upper directory.
};

struct Reply {
  ReplyKind kind;
  uint32_t id = 0;
  int32_t value = 0;
  int32_t status = 0;
  uint64_t user_us = 0;
  uint64_t system_us = 0;
  uint64_t memory_peak_kb = 0;
};

}  // namespace nsbox
