#include "core/container/mounts.h"

#include "runtime/input_file.h"
#include "runtime/verb.h"

// crun's verb: a container that runs gets further mounts.
namespace nsbox::runtime {
namespace {

Result<int> run(Globals& globals, const Arguments& arguments) {
  const std::string_view what = arguments.operand(0), id = arguments.operand(1);
  if (what != "add" && what != "remove") return usage_error("expected add or remove, got ", what);
  if (arguments.operands().size() != 3) return usage_error("expected: mounts ", what, " ID FILE");
  const StateDirectory directory = TRY(StateDirectory::open(globals.root, id));
  const String text = TRY(read_input(arguments.operand(2)));
  Arena arena;
  auto mounts = parse_mounts(text, arena);
  if (!mounts) return mounts.error().while_doing(arguments.operand(2));
  TRY(what == "add" ? add_mounts(directory, *mounts) : remove_mounts(directory, *mounts));
  return 0;
}

}  // namespace

const Verb kMounts = {
    "mounts", "add|remove ID FILE", "change the mounts of a container: FILE has them as JSON",
    {},       Operands::kMixed,     run};

}  // namespace nsbox::runtime
