#include <fcntl.h>

#include "core/base/table.h"
#include "core/security/user.h"
#include "core/sys/file.h"
#include "runtime/verb.h"

namespace nsbox::runtime {
namespace {

constexpr size_t kLargestPasswd = size_t{16} << 20;

constexpr OptionSpec kOptions[] = {{"format", 'f', Takes::kValue, "table|json  (default: table)"},
                                   {"quiet", 'q', Takes::kNothing, "print the ids alone"}};

struct Listed {
  State state;
  ContainerStatus status = ContainerStatus::kStopped;
  String owner;
};

Result<Listed> look_at(std::string_view root, std::string_view id, std::string_view passwd) {
  const StateDirectory directory = TRY(StateDirectory::open(root, id));
  Listed out;
  out.state = TRY(directory.read());
  out.status = TRY(current_status(directory, out.state));
  const auto user = find_user_by_id(passwd, out.state.owner);
  out.owner = user ? String(user->name) : format("#", out.state.owner);
  return out;
}

String as_table(const Vector<Listed>& all) {
  constexpr std::string_view kNames[] = {"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"};
  Table table(kNames);
  for (const Listed& one : all) {
    const String pid = format(living_pid(one.state, one.status));
    const std::string_view cells[] = {one.state.id,      pid,      name_of(one.status), one.state.bundle,
                                      one.state.created, one.owner};
    table.add(cells);
  }
  return table.text();
}

String as_json(const Vector<Listed>& all) {
  if (all.empty()) return String("null");
  String out;
  for (const Listed& one : all)
    append(out, out.empty() ? "[" : ",",
           public_state(one.state, one.status, StateFields::kVerbose, {}, one.owner));
  append(out, "]");
  return out;
}

String as_ids(const Vector<Listed>& all) {
  String out;
  for (const Listed& one : all) append(out, one.state.id, "\n");
  return out;
}

Result<int> run(Globals& globals, const Arguments& arguments) {
  if (!arguments.operands().empty()) return usage_error("unexpected argument: ", arguments.operand(0));
  const std::string_view form = arguments.value("format", "table");
  if (form != "table" && form != "json") return usage_error("invalid format option");
  auto passwd = read_file_at(AT_FDCWD, "/etc/passwd", kLargestPasswd);
  Vector<Listed> all;
  for (const String& id : TRY(list_ids(globals.root))) {
    auto one = look_at(globals.root, id, passwd ? passwd->view() : std::string_view());
    if (one)
      all.push_back(std::move(*one));
    else if (one.err() != ENOENT || StateDirectory::open(globals.root, id))  // Else it was deleted meanwhile.
      globals.log.warn(format("container ", id, " is left out: ", one.error().message()));
  }
  if (arguments.has("quiet"))
    TRY(print(as_ids(all)));
  else
    TRY(print(form == "json" ? as_json(all) : as_table(all)));
  return 0;
}

}  // namespace

const Verb kList = {"list", "[options]", "tell of all containers", kOptions, Operands::kMixed, run};

}  // namespace nsbox::runtime
