#include "core/security/process_attributes.h"

#include "core/sys/file.h"

namespace nsbox {

Status set_oom_score_adj(int proc_self, int score) {
  if (auto done = write_file_at(proc_self, "oom_score_adj", format(score)); !done)
    return Error(done.err()).while_doing("set oom_score_adj to ", score);
  return Ok{};
}

}  // namespace nsbox
