#include "core/container/pause.h"

#include "runtime/verb.h"

namespace nsbox::runtime {
namespace {

Result<int> run_pause(Globals& globals, const Arguments& arguments) {
  TRY(pause_container(TRY(StateDirectory::open(globals.root, TRY(only_id(arguments))))));
  return 0;
}

Result<int> run_resume(Globals& globals, const Arguments& arguments) {
  TRY(resume_container(TRY(StateDirectory::open(globals.root, TRY(only_id(arguments))))));
  return 0;
}

}  // namespace

const Verb kPause = {"pause", "ID", "stop all processes of a container", {}, Operands::kMixed, run_pause};
const Verb kResume = {"resume", "ID", "let a paused container go on", {}, Operands::kMixed, run_resume};

}  // namespace nsbox::runtime
