#pragma once

#include <string_view>

#include "core/base/error.h"
#include "core/sys/unique_fd.h"

namespace nsbox::runtime {

enum class LogFormat : uint8_t { kText, kJson };
enum class LogLevel : uint8_t { kError, kWarning, kInfo, kDebug };

// Where the words of a verb go: --log's file, in one of logrus's two forms, which callers read their errors
// from; standard error without one. An error goes to standard error in any case.
class Log {
 public:
  // Opened for appending: containerd gives each verb the same file.
  Status open(std::string_view path);
  void set_format(LogFormat format) { format_ = format; }
  void set_level(LogLevel level) { level_ = level; }

  void write(LogLevel level, std::string_view message);
  void warn(std::string_view message) { write(LogLevel::kWarning, message); }
  void fail(std::string_view message);

 private:
  UniqueFd file_;
  LogFormat format_ = LogFormat::kText;
  LogLevel level_ = LogLevel::kInfo;
};

}  // namespace nsbox::runtime
