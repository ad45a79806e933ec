#include "runtime/verbs.h"

#include <signal.h>

#include "core/sys/syscalls.h"
#include "runtime/verb.h"

namespace nsbox::runtime {
namespace {

constexpr const Verb* kVerbs[] = {&kCreate, &kStart,    &kState, &kKill,   &kDelete,     &kRun,
                                  &kExec,   &kList,     &kPause, &kResume, &kPs,         &kUpdate,
                                  &kEvents, &kFeatures, &kSpec,  &kMounts, &kCheckpoint, &kRestore};

constexpr OptionSpec kGlobalOptions[] = {
    {"root", 0, Takes::kValue,
     "DIR  where the state of containers lies (default: /run/nsbox, or $XDG_RUNTIME_DIR/nsbox)"},
    {"log", 0, Takes::kValue, "FILE  where errors and warnings go too"},
    {"log-format", 0, Takes::kValue, "text|json  (default: text)"},
    {"log-level", 0, Takes::kValue, "error|warning|info|debug  (default: info)"},
    {"debug", 0, Takes::kNothing, "the same as --log-level debug"},
    {"systemd-cgroup", 0, Takes::kNothing, "the same as --cgroup-manager systemd"},
    {"cgroup-manager", 0, Takes::kValue, "cgroupfs|systemd|disabled  (default: cgroupfs)"},
    {"rootless", 0, Takes::kValue,
     "true|false|auto  (accepted: what this user may do is found out by trying)"},
    {"criu", 0, Takes::kValue, ""},
    {"version", 'v', Takes::kNothing, "tell the version"},
    {"help", 'h', Takes::kNothing, "tell this"}};

constexpr OptionSpec kHelp = {"help", 'h', Takes::kNothing, "tell this"};

void append_option(String& out, const OptionSpec& option) {
  if (option.help.empty()) return;
  append(out, "  ");
  if (option.letter)
    append(out, "-", option.letter, ", ");
  else
    append(out, "    ");
  append(out, "--", option.name, " ", option.takes == Takes::kValue ? "" : " ", option.help, "\n");
}

String program_help() {
  String out(
      "usage: nsbox-runtime [global options] COMMAND [options] [ID] [ARG...]\n\n"
      "An OCI runtime: runs containers as a bundle's config.json describes them.\n\nCommands:\n");
  for (const Verb* verb : kVerbs) {
    append(out, "  ", verb->name);
    for (size_t i = verb->name.size(); i < 12; i++) out.append(' ');
    append(out, verb->summary, "\n");
  }
  append(out,
         "  init        PID 1 of a box; started by the nsbox library\n"
         "  janitor     clears what a killed starter leaves behind; started by the nsbox library\n"
         "\nGlobal options:\n");
  for (const OptionSpec& option : kGlobalOptions) append_option(out, option);
  append(out, "\nnsbox-runtime COMMAND --help tells of one command.\n");
  return out;
}

String verb_help(const Verb& verb) {
  String out =
      format("usage: nsbox-runtime ", verb.name, " ", verb.usage, "\n\n", verb.summary, "\n\nOptions:\n");
  for (const OptionSpec& option : verb.options) append_option(out, option);
  append_option(out, kHelp);
  return out;
}

String version_text() {
  return String("nsbox-runtime version " NSBOX_VERSION "\ncommit: " NSBOX_VERSION "\nspec: 1.3.0\n");
}

Result<LogLevel> parse_level(std::string_view text) {
  if (text == "error" || text == "fatal" || text == "panic") return LogLevel::kError;
  if (text == "warning" || text == "warn") return LogLevel::kWarning;
  if (text == "info") return LogLevel::kInfo;
  if (text == "debug" || text == "trace") return LogLevel::kDebug;
  return usage_error("--log-level: expected error, warning, info or debug, got ", text);
}

Status set_log(Globals& globals, const Arguments& options) {
  const std::string_view form = options.value("log-format", "text");
  if (form != "text" && form != "json")
    return usage_error("invalid log-format: ", form, ": expected text or json");
  globals.log.set_format(form == "json" ? LogFormat::kJson : LogFormat::kText);
  if (options.has("log-level")) globals.log.set_level(TRY(parse_level(options.value("log-level"))));
  if (options.has("debug")) globals.log.set_level(LogLevel::kDebug);
  std::string_view path = options.value("log");
  if (path.starts_with("file:")) path.remove_prefix(5);
  return path.empty() || path == "/dev/stderr" ? Status(Ok{}) : globals.log.open(path);
}

Status set_manager(Globals& globals, const Arguments& options) {
  const std::string_view name = options.value("cgroup-manager", "cgroupfs");
  if (name == "systemd" || options.has("systemd-cgroup"))
    globals.manager = CgroupManager::kSystemd;
  else if (name == "disabled")
    globals.manager = CgroupManager::kDisabled;
  else if (name != "cgroupfs")
    return usage_error("--cgroup-manager: expected cgroupfs, systemd or disabled, got ", name);
  return Ok{};
}

Status check_rootless(std::string_view text) {
  for (std::string_view known : {"auto", "true", "false", "1", "0", "t", "f", "T", "F", "TRUE", "FALSE"})
    if (text == known) return Ok{};
  return usage_error("--rootless: expected true, false or auto, got ", text);
}

Status set_up(Globals& globals, const Arguments& options) {
  TRY(set_log(globals, options));
  TRY(check_rootless(options.value("rootless", "auto")));
  TRY(set_manager(globals, options));
  globals.bus = sys::geteuid() == 0 ? cgroup::Manager::kSystem : cgroup::Manager::kUser;
  globals.bus_environment = {globals.variable("DBUS_SESSION_BUS_ADDRESS"),
                             globals.variable("XDG_RUNTIME_DIR")};
  globals.root = TRY(options.has("root") ? absolute_path(options.value("root"))
                                         : default_root(globals.variable("XDG_RUNTIME_DIR")));
  return Ok{};
}

const Verb* find_verb(std::string_view name) {
  for (const Verb* verb : kVerbs)
    if (verb->name == name) return verb;
  return nullptr;
}

// Only these two tell which of them it was, as callers of runc know it.
int fail(Globals& globals, std::string_view verb, const Error& error) {
  const bool is_told = verb == "create" || verb == "run";
  globals.log.fail(is_told ? format("nsbox-runtime ", verb, " failed: ", error.message()) : error.message());
  return 1;
}

int tell(Globals& globals, const Status& printed) { return printed ? 0 : fail(globals, "", printed.error()); }

bool asks_for_help(std::span<const std::string_view> words, const Verb& verb) {
  for (size_t i = 0; i < words.size(); i++) {
    if (words[i] == "--help" || words[i] == "-h") return true;
    // Behind the id, they are words of somebody else's.
    if (words[i] == "--" || (verb.operands != Operands::kMixed && !words[i].starts_with('-'))) return false;
  }
  return false;
}

// In runc's words. The verb itself looks at what may stand behind the id.
Status check_count(const Verb& verb, size_t count) {
  if (verb.usage.ends_with("ID") && count != 1)
    return usage_error("\"", verb.name, "\" requires exactly 1 argument(s)");
  if (verb.usage.find("ID ") != std::string_view::npos && count == 0)
    return usage_error("\"", verb.name, "\" requires a minimum of 1 argument(s)");
  return Ok{};
}

Result<Arguments> read_arguments(const Verb& verb, std::span<const std::string_view> words) {
  Arguments arguments = TRY(Arguments::parse(words, verb.options, verb.operands));
  TRY(check_count(verb, arguments.operands().size()));
  return arguments;
}

int run(Globals& globals, const Verb& verb, std::span<const std::string_view> words) {
  auto arguments = read_arguments(verb, words);
  if (!arguments) return fail(globals, "", arguments.error());
  globals.log.write(LogLevel::kDebug, format(verb.name, ", with the state in ", globals.root));
  auto done = verb.run(globals, *arguments);
  return done ? *done : fail(globals, verb.name, done.error());
}

}  // namespace

int run_verb(int argc, char** argv, char** envp) {
  (void)sys::sigignore(SIGPIPE);
  Globals globals;
  size_t variables = 0;
  while (envp[variables]) variables++;
  globals.environment = {envp, variables};
  Vector<std::string_view> words;
  for (int i = 1; i < argc; i++) words.push_back(argv[i]);
  size_t consumed = 0;
  auto options = parse_leading(words, kGlobalOptions, consumed);
  if (!options) return fail(globals, "", options.error());
  if (options->has("version")) return tell(globals, print(version_text()));
  if (options->has("help")) return tell(globals, print(program_help()));
  if (consumed == words.size()) {
    (void)print(program_help());
    return 1;
  }
  const std::string_view name = words[consumed];
  if (name == "version") return tell(globals, print(version_text()));
  if (name == "help") return tell(globals, print(program_help()));
  const Verb* verb = find_verb(name);
  const auto rest = std::span(words).subspan(consumed + 1);
  // Help is for whoever has no place for state too.
  if (verb && asks_for_help(rest, *verb)) return tell(globals, print(verb_help(*verb)));
  if (auto done = set_up(globals, *options); !done) return fail(globals, "", done.error());
  if (!verb)
    return fail(globals, "", Error::invalid("no such command: ", name, " (nsbox-runtime --help lists them)"));
  return run(globals, *verb, rest);
}

int tell_start_failure(const Error& error) {
  Globals globals;
  return fail(globals, "", error.while_doing("protect the program's own file"));
}

}  // namespace nsbox::runtime
