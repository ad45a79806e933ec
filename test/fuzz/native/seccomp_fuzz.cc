// A seccomp profile of any text: what is parsed compiles to a filter that the kernel takes, or is refused.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "../../native/security/bpf_interpreter.h"
#include "core/security/seccomp.h"

using namespace nsbox;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void try_calls(std::span<const sock_filter> program, Architecture architecture) {
  for (const uint64_t argument : {uint64_t{0}, uint64_t{0x7e020000}, uint64_t{0x100000001}, ~uint64_t{0}}) {
    for (uint32_t number = 0; number < 520; number += 7) {
      seccomp_data data{};
      data.arch = audit_arch(architecture);
      data.nr = static_cast<int>(number);
      for (auto& each : data.args) each = argument;
      require(test::run_filter(program, data).has_value());
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Arena arena;
  auto value = json::parse(text, arena);
  if (!value) return 0;
  auto profile = parse_seccomp(*value, arena);
  if (!profile) return 0;
  for (unsigned i = 0; i < kArchitectures; i++) {
    const auto native = static_cast<Architecture>(i);
    auto program = compile_seccomp(*profile, {.native = native});
    if (!program) continue;
    require(test::is_valid_filter(*program));
    try_calls(*program, native);
  }
  // What was read can be written and read again.
  const String written = profile_to_json(*profile);
  auto again = json::parse(written, arena);
  require(again && parse_seccomp(*again, arena));
  return 0;
}
