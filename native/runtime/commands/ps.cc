#include <algorithm>
#include <cerrno>

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/container/processes.h"
#include "core/process/program.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"
#include "runtime/find_program.h"
#include "runtime/verb.h"

namespace nsbox::runtime {
namespace {

constexpr size_t kLargestOutput = size_t{64} << 20;

constexpr OptionSpec kOptions[] = {{"format", 'f', Takes::kValue, "table|json  (default: table)"}};

// `--format` may stand behind the id too, where all else is for ps, which has an option of that name as well:
// ours has one of our two words.
struct PsCall {
  std::string_view form;
  Vector<std::string_view> args;
};

bool is_form(std::string_view text) { return text == "table" || text == "json"; }

PsCall read_call(const Arguments& arguments) {
  PsCall out;
  out.form = arguments.value("format", "table");
  out.args.push_back("ps");
  constexpr std::string_view kFormat = "--format";
  const auto words = arguments.operands();
  for (size_t i = 1; i < words.size(); i++) {
    const bool has_value = words[i].starts_with("--format=");
    if (words[i] == kFormat && i + 1 < words.size() && is_form(words[i + 1]))
      out.form = words[++i];
    else if (has_value && is_form(words[i].substr(kFormat.size() + 1)))
      out.form = words[i].substr(kFormat.size() + 1);
    else
      out.args.push_back(words[i]);
  }
  if (out.args.size() == 1) out.args.push_back("-ef");
  return out;
}

String as_json(const Vector<pid_t>& pids) {
  if (pids.empty()) return String("null\n");
  json::Writer out;
  out.begin_array();
  for (const pid_t pid : pids) out.number(pid);
  out.end_array();
  return format(out.view(), "\n");
}

// Into a file, since a table of all processes may be long.
Result<String> run_ps(const Globals& globals, const Vector<std::string_view>& args) {
  const auto path = find_program(globals, "ps");
  if (!path) return Error::plain(ENOENT, "exec: \"ps\": executable file not found in $PATH");
  const UniqueFd output = TRY(sys::memfd_create("ps", 0));
  const Vector<std::string_view> environment = environment_of(globals);
  auto end = run_program({.path = *path, .args = args, .env = environment, .output = output.get()});
  if (!end) return end.error().while_doing("run ", *path);
  TRY(sys::lseek(output.get(), 0, 0));
  String text = TRY(read_all(output.get(), kLargestOutput));
  if (end->succeeded()) return text;
  return Error::plain(ECHILD, "ps: ", end->how(), ": ", trim(text), trim(end->error_output));
}

// Blanks of any number between words.
std::string_view next_word(std::string_view& line) {
  while (line.starts_with(' ') || line.starts_with('\t')) line.remove_prefix(1);
  const size_t end = std::min(line.find_first_of(" \t"), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

Result<size_t> pid_column(std::string_view header) {
  for (size_t i = 0; !header.empty(); i++)
    if (next_word(header) == "PID") return i;
  return Error::invalid("couldn't find PID field in ps output");
}

Result<String> lines_of(std::string_view table, const Vector<pid_t>& pids) {
  const std::string_view header = cut(table, '\n');
  const size_t column = TRY(pid_column(header));
  String out = format(header, "\n");
  while (!table.empty()) {
    const std::string_view line = cut(table, '\n');
    std::string_view rest = line, word = next_word(rest);
    if (word.empty()) continue;
    for (size_t i = 0; i < column; i++) word = next_word(rest);
    const auto pid = parse_id(word);
    if (!pid) return Error::invalid("unable to parse pid: ", word);
    if (std::binary_search(pids.begin(), pids.end(), static_cast<pid_t>(*pid))) append(out, line, "\n");
  }
  return out;
}

Result<int> run(Globals& globals, const Arguments& arguments) {
  const std::string_view id = TRY(first_id(arguments));
  const PsCall call = read_call(arguments);
  if (!is_form(call.form)) return usage_error("invalid format option");
  const StateDirectory directory = TRY(StateDirectory::open(globals.root, id));
  const Vector<pid_t> pids = TRY(container_processes(directory, TRY(directory.read())));
  TRY(print(call.form == "json" ? as_json(pids) : TRY(lines_of(TRY(run_ps(globals, call.args)), pids))));
  return 0;
}

}  // namespace

const Verb kPs = {"ps",
                  "[options] ID [ARGUMENTS OF PS...]",
                  "tell of the processes of a container",
                  kOptions,
                  Operands::kIdThenRest,
                  run};

}  // namespace nsbox::runtime
