#include "runtime/input_file.h"

#include <fcntl.h>

#include <cerrno>

#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox::runtime {

Result<String> read_input(std::string_view path) {
  if (path == "-") {
    auto text = read_all(0);
    if (!text) return text.error().while_doing("read standard input");
    return text;
  }
  auto file = sys::open(String(path).c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (file.err() == ENOENT) return Error::plain(ENOENT, "open ", path, ": no such file or directory");
  if (!file) return file.error().while_doing("open ", path);
  // Whoever writes to a FIFO, as to a shell's <(…), may take its time; one that nobody writes to is empty.
  TRY(sys::fcntl(file->get(), F_SETFL, 0));
  auto text = read_all(file->get());
  if (!text) return text.error().while_doing("read ", path);
  return text;
}

}  // namespace nsbox::runtime
