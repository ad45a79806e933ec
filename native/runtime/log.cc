#include "runtime/log.h"

#include <fcntl.h>

#include "core/base/json.h"
#include "core/base/time_text.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox::runtime {
namespace {

constexpr std::string_view kLevels[] = {"error", "warning", "info", "debug"};

String as_json(LogLevel level, std::string_view message) {
  json::Writer out;
  out.begin_object();
  out.key("level").string(kLevels[static_cast<uint8_t>(level)]);
  out.key("msg").string(message);
  out.key("time").string(seconds_text(sys::realtime_ns()));
  out.end_object();
  return format(out.view(), "\n");
}

String as_text(LogLevel level, std::string_view message) {
  json::Writer quoted;
  quoted.string(message);
  return format("time=\"", seconds_text(sys::realtime_ns()),
                "\" level=", kLevels[static_cast<uint8_t>(level)], " msg=", quoted.view(), "\n");
}

}  // namespace

Status Log::open(std::string_view path) {
  // A FIFO that nobody reads would keep us waiting; one that somebody reads is written to as a file is.
  auto file = sys::open(String(path).c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NONBLOCK, 0644);
  if (!file) return file.error().while_doing("open the log ", path);
  TRY(sys::fcntl(file->get(), F_SETFL, O_APPEND));
  file_ = std::move(*file);
  return Ok{};
}

void Log::write(LogLevel level, std::string_view message) {
  if (level > level_) return;
  const String line = format_ == LogFormat::kJson ? as_json(level, message) : as_text(level, message);
  (void)write_all(file_ ? file_.get() : 2, line.c_str(), line.size());
}

void Log::fail(std::string_view message) {
  write(LogLevel::kError, message);
  if (!file_) return;
  const String line = format(message, "\n");
  (void)write_all(2, line.c_str(), line.size());
}

}  // namespace nsbox::runtime
