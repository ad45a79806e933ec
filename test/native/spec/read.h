#pragma once

#include <string>

#include "core/spec/parse.h"
#include "support/workspace.h"

namespace nsbox::test {

// The document and what was read from it, which points into it.
struct Read {
  Arena arena;
  std::string text;
  json::Value document;
  explicit Read(std::string given) : text(std::move(given)) {
    auto parsed = json::parse(text, arena);
    if (!parsed) fail(__FILE__, __LINE__, text + ": " + told(parsed));
    if (parsed) document = *parsed;
  }
  Result<Config> config() { return parse_box_config(document, arena); }
  Result<Config> bundle() { return parse_config(document, arena); }
  Result<ProcessSpec> process() { return parse_process(document, "process"); }
};

inline std::string config_says(const std::string& text) { return told(Read(text).config()); }
inline std::string process_says(const std::string& fields) {
  return told(Read(R"({"args":["sh"],"cwd":"/")" + (fields.empty() ? "" : "," + fields) + "}").process());
}
inline std::string linux_says(const std::string& fields) {
  return config_says("{\"linux\":{" + fields + "}}");
}

}  // namespace nsbox::test
