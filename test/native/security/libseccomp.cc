#include "security/libseccomp.h"

#include <dlfcn.h>
#include <linux/audit.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/security/seccomp_rules.h"

// It leaves memory behind; that is not for us to repair.
extern "C" const char* __lsan_default_suppressions() { return "leak:libseccomp"; }
extern "C" const char* __lsan_default_options() { return "print_suppressions=0"; }

namespace nsbox::test {

namespace {

constexpr int kUnknownCall = -1;  // __NR_SCMP_ERROR

uint32_t token_of(Architecture architecture) {
  constexpr uint32_t kX32 = AUDIT_ARCH_X86_64 & ~uint32_t{__AUDIT_ARCH_64BIT};
  return architecture == Architecture::kX32 ? kX32 : audit_arch(architecture);
}

uint32_t architecture_number(Architecture architecture, uint32_t number) {
  return architecture == Architecture::kX32 ? kX32Bit | number : number;
}

// It exports in the byte order of the filter's architecture, but for what returns give.
void to_host_order(std::vector<sock_filter>& program) {
  for (sock_filter& instruction : program) {
    instruction.code = __builtin_bswap16(instruction.code);
    if (instruction.code != (BPF_RET | BPF_K)) instruction.k = __builtin_bswap32(instruction.k);
  }
}

// SCMP_CMP_* begin at 1, in the order of ours.
int number_of(SeccompOperator op) { return static_cast<int>(op) + 1; }

}  // namespace

const Libseccomp* Libseccomp::load() {
  static Libseccomp library;
  static const bool loaded = [] {
    // NSBOX_LIBSECCOMP: another version of the library than the system's.
    const char* other = std::getenv("NSBOX_LIBSECCOMP");
    void* handle = dlopen(other ? other : "libseccomp.so.2", RTLD_NOW);
    if (!handle) return false;
    const auto find = [&](auto& function, const char* name) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(handle, name));
      return function != nullptr;
    };
    return find(library.init_, "seccomp_init") && find(library.release_, "seccomp_release") &&
           find(library.arch_add_, "seccomp_arch_add") && find(library.arch_remove_, "seccomp_arch_remove") &&
           find(library.resolve_, "seccomp_syscall_resolve_name") &&
           find(library.resolve_on_, "seccomp_syscall_resolve_name_arch") &&
           find(library.rule_add_, "seccomp_rule_add_array") && find(library.export_, "seccomp_export_bpf");
  }();
  return loaded ? &library : nullptr;
}

bool Libseccomp::knows(std::string_view name) const {
  const std::string text(name);
  const auto call = find_syscall(name);
  for (unsigned i = 0; call && i < kArchitectures; i++) {
    const auto architecture = static_cast<Architecture>(i);
    const auto ours = syscall_number(*call, architecture);
    const int theirs = resolve_on_(token_of(architecture), text.c_str());
    if (theirs == kUnknownCall) return false;
    // What goes through socketcall or ipc has a number below 0, even where it also has one of its own.
    const bool through_another = multiplexed(*call).socketcall || multiplexed(*call).ipc;
    if (ours && !through_another && static_cast<uint32_t>(theirs) != architecture_number(architecture, *ours))
      return false;
  }
  return call.has_value();
}

bool Libseccomp::add(void* context, uint32_t answer, int call,
                     const std::vector<Comparison>& comparisons) const {
  return rule_add_(context, answer, call, static_cast<unsigned>(comparisons.size()), comparisons.data()) == 0;
}

bool Libseccomp::add_rule(void* context, const SeccompRule& rule, uint32_t default_answer) const {
  const uint32_t answer = seccomp_answer(rule.action, rule.errno_ret);
  if (answer == default_answer) return true;
  std::vector<Comparison> comparisons;
  unsigned seen = 0;
  bool twice = false;
  for (const SeccompArg& arg : rule.args) {
    twice = twice || (seen & (1u << arg.index));
    seen |= 1u << arg.index;
    comparisons.push_back({arg.index, number_of(arg.op), arg.value, arg.value_two});
  }
  for (const std::string_view name : rule.names) {
    const int call = resolve_(std::string(name).c_str());
    if (call == kUnknownCall) continue;
    if (!twice) {
      if (!add(context, answer, call, comparisons)) return false;
    } else {
      for (const Comparison& comparison : comparisons)
        if (!add(context, answer, call, {comparison})) return false;
    }
  }
  return true;
}

std::optional<std::vector<sock_filter>> Libseccomp::compile(const SeccompProfile& profile,
                                                            Architecture native) const {
  const uint32_t default_answer = seccomp_answer(profile.default_action, profile.default_errno);
  void* context = init_(default_answer);
  if (!context) return std::nullopt;
  bool good = true;
  if (native != kNativeArchitecture) {
    // All architectures of a filter must have one byte order, so that ours has to go first.
    good = arch_remove_(context, token_of(kNativeArchitecture)) == 0 &&
           arch_add_(context, token_of(native)) == 0;
  }
  for (const Architecture architecture : profile.architectures)
    if (architecture != native) good = good && arch_add_(context, token_of(architecture)) == 0;
  for (const SeccompRule& rule : profile.syscalls) good = good && add_rule(context, rule, default_answer);

  std::vector<sock_filter> program;
  const int file = memfd_create("filter", MFD_CLOEXEC);
  good = good && export_(context, file) == 0;
  if (good) {
    program.resize(static_cast<size_t>(lseek(file, 0, SEEK_END)) / sizeof(sock_filter));
    good = pread(file, program.data(), program.size() * sizeof(sock_filter), 0) ==
           static_cast<ssize_t>(program.size() * sizeof(sock_filter));
    if (is_big_endian(native)) to_host_order(program);
  }
  close(file);
  release_(context);
  if (!good) return std::nullopt;
  return program;
}

}  // namespace nsbox::test
