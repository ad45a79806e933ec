#include "core/base/error.h"

#include "core/base/errno_names.h"

namespace nsbox {

std::string_view Error::code() const { return errno_name(err_).name; }

String Error::message() const {
  String text = doing_;
  if (plain_ && !text.empty()) return text;
  const ErrnoName& known = errno_name(err_);
  if (!text.empty()) text.append(": ");
  if (known.name.empty())
    append(text, "errno ", err_);
  else
    append(text, known.name, " (", known.text, ")");
  return text;
}

}  // namespace nsbox
