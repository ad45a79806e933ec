#include "runtime/json_text.h"

namespace nsbox::runtime {
namespace {

void new_line(String& out, size_t depth, std::string_view indent) {
  out.append('\n');
  for (size_t i = 0; i < depth; i++) out.append(indent);
}

}  // namespace

String indented_json(std::string_view compact, std::string_view indent) {
  String out;
  size_t depth = 0;
  bool in_text = false;
  for (size_t i = 0; i < compact.size(); i++) {
    const char c = compact[i];
    if (in_text) {
      out.append(c);
      if (c == '\\' && i + 1 < compact.size()) out.append(compact[++i]);
      if (c == '"') in_text = false;
      continue;
    }
    const bool opens = c == '{' || c == '[', closes = c == '}' || c == ']';
    const bool empty = opens && i + 1 < compact.size() && (compact[i + 1] == '}' || compact[i + 1] == ']');
    if (closes && i > 0 && compact[i - 1] != '{' && compact[i - 1] != '[') new_line(out, --depth, indent);
    out.append(c);
    if (c == '"') in_text = true;
    if (c == ':') out.append(' ');
    if (c == ',') new_line(out, depth, indent);
    if (opens && !empty) new_line(out, ++depth, indent);
  }
  out.append('\n');
  return out;
}

}  // namespace nsbox::runtime
