#include "core/container/update.h"

#include <limits>

#include "core/base/decimal.h"
#include "core/base/text.h"
#include "core/spec/resources.h"
#include "runtime/input_file.h"
#include "runtime/verb.h"

namespace nsbox::runtime {
namespace {

using cgroup::Limits;

constexpr OptionSpec kOptions[] = {
    {"resources", 'r', Takes::kValue,
     "FILE  limits as config.json's linux.resources has them; -: from standard input"},
    {"blkio-weight", 0, Takes::kValue, "N  share of input and output, from 10 to 1000"},
    {"cpu-period", 0, Takes::kValue, "N  period of the limit on time, in microseconds"},
    {"cpu-quota", 0, Takes::kValue, "N  time in each period, in microseconds; -1: no limit"},
    {"cpu-burst", 0, Takes::kValue, "N  time that may be saved up, in microseconds"},
    {"cpu-share", 0, Takes::kValue, "N  share of time beside others"},
    {"cpu-rt-period", 0, Takes::kValue, "N  period of the limit on real-time processes, in microseconds"},
    {"cpu-rt-runtime", 0, Takes::kValue, "N  time of real-time processes in each period, in microseconds"},
    {"cpu-idle", 0, Takes::kValue, "0|1  1: run only when nothing else wants to"},
    {"cpuset-cpus", 0, Takes::kValue, "LIST  processors: 0-3,7"},
    {"cpuset-mems", 0, Takes::kValue, "LIST  memory nodes"},
    {"memory", 'm', Takes::kValue, "SIZE  limit on memory: 64m, 1g; -1: no limit"},
    {"memory-reservation", 0, Takes::kValue, "SIZE  what is left to the container when memory is short"},
    {"memory-swap", 0, Takes::kValue, "SIZE  limit on memory and swap together"},
    {"kernel-memory", 0, Takes::kValue, "SIZE  (accepted; no kernel has this limit any more)"},
    {"kernel-memory-tcp", 0, Takes::kValue, "SIZE  limit on the kernel's TCP buffers"},
    {"pids-limit", 0, Takes::kValue, "N  limit on processes and threads; -1: no limit"},
    {"l3-cache-schema", 0, Takes::kValue, "TEXT  Intel RDT's share of the cache"},
    {"mem-bw-schema", 0, Takes::kValue, "TEXT  Intel RDT's share of memory bandwidth"}};

// One flag after the other into its limit. An empty value is as good as none.
class Flags {
 public:
  explicit Flags(const Arguments& arguments) : arguments_(arguments) {}

  template <typename Number>
  Status number(std::string_view name, std::optional<Number>& out) const {
    const std::string_view text = arguments_.value(name);
    if (text.empty()) return Ok{};
    const bool negative = std::is_signed_v<Number> && text.starts_with('-');
    const auto value = parse_unsigned(text.substr(negative ? 1 : 0));
    if (!value || *value > static_cast<uint64_t>(std::numeric_limits<Number>::max()))
      return wrong(name, format("expected a number, got \"", text, "\""));
    out = negative ? static_cast<Number>(-static_cast<int64_t>(*value)) : static_cast<Number>(*value);
    return Ok{};
  }

  Status size(std::string_view name, std::optional<int64_t>& out) const {
    const std::string_view text = arguments_.value(name);
    if (text.empty()) return Ok{};
    const auto value = parse_size(text);
    if (!value && text != "-1") return wrong(name, format("invalid size: '", text, "'"));
    out = value ? static_cast<int64_t>(*value) : -1;
    return Ok{};
  }

  void text(std::string_view name, std::string_view& out) const {
    if (const std::string_view given = arguments_.value(name); !given.empty()) out = given;
  }

 private:
  static Error wrong(std::string_view name, std::string_view why) {
    return Error::invalid("invalid value for ", name, ": ", why);
  }

  const Arguments& arguments_;
};

Status read_cpu(const Flags& flags, cgroup::CpuLimits& cpu) {
  TRY(flags.number("cpu-period", cpu.period));
  TRY(flags.number("cpu-quota", cpu.quota));
  TRY(flags.number("cpu-burst", cpu.burst));
  TRY(flags.number("cpu-share", cpu.shares));
  TRY(flags.number("cpu-rt-period", cpu.realtime_period));
  TRY(flags.number("cpu-rt-runtime", cpu.realtime_runtime));
  TRY(flags.number("cpu-idle", cpu.idle));
  flags.text("cpuset-cpus", cpu.cpus);
  flags.text("cpuset-mems", cpu.mems);
  return Ok{};
}

Status read_memory(const Flags& flags, cgroup::MemoryLimits& memory) {
  std::optional<int64_t> ignored;
  TRY(flags.size("kernel-memory", ignored));
  TRY(flags.size("kernel-memory-tcp", memory.kernel_tcp));
  TRY(flags.size("memory", memory.limit));
  TRY(flags.size("memory-reservation", memory.reservation));
  return flags.size("memory-swap", memory.swap);
}

Status read_flags(const Flags& flags, UpdateRequest& request) {
  TRY(read_cpu(flags, request.limits.cpu));
  TRY(read_memory(flags, request.limits.memory));
  TRY(flags.number("pids-limit", request.limits.pids));
  TRY(flags.number("blkio-weight", request.limits.block_io.weight));
  flags.text("l3-cache-schema", request.l3_cache_schema);
  flags.text("mem-bw-schema", request.mem_bw_schema);
  return Ok{};
}

Result<int> run(Globals& globals, const Arguments& arguments) {
  const StateDirectory directory = TRY(StateDirectory::open(globals.root, TRY(only_id(arguments))));
  UpdateRequest request;
  request.environment = globals.bus_environment;
  Arena arena;
  String text;
  if (const std::string_view path = arguments.value("resources"); !path.empty()) {
    text = TRY(read_input(path));
    auto document = json::parse(text, arena);
    if (!document) return document.error().while_doing("parse the resources");
    request.limits = TRY(parse_resources(*document));
  }
  TRY(read_flags(Flags(arguments), request));
  TRY(update_container(directory, std::move(request)));
  return 0;
}

}  // namespace

const Verb kUpdate = {"update", "[options] ID",   "change the limits of a container",
                      kOptions, Operands::kMixed, run};

}  // namespace nsbox::runtime
