#include "security/seccomp_judge.h"

#include <algorithm>
#include <optional>
#include <set>
#include <sstream>
#include <vector>

#include "core/security/syscall_table.h"
#include "security/bpf_interpreter.h"
#include "security/libseccomp.h"

namespace nsbox::test {

namespace {

constexpr uint32_t kMinusOne = ~uint32_t{0};

// Words around which a comparison turns.
std::vector<uint64_t> interesting_values(const SeccompProfile& profile) {
  std::set<uint64_t> values{0, 1, 2, 0xffffffff, 0x100000000, 0x100000001, ~uint64_t{0}, ~uint64_t{0} - 1};
  for (const SeccompRule& rule : profile.syscalls)
    for (const SeccompArg& arg : rule.args)
      for (const uint64_t value : {arg.value, arg.value_two})
        for (const uint64_t near : {value, value - 1, value + 1, value ^ (uint64_t{1} << 32),
                                    value & 0xffffffff, value << 32, value | 0xffffffff00000000, ~value})
          values.insert(near);
  return {values.begin(), values.end()};
}

std::set<uint32_t> conditional_numbers(const SeccompProfile& profile, Architecture architecture) {
  std::set<uint32_t> numbers;
  const MultiplexedCalls multiplexers = multiplexed_calls(architecture);
  if (multiplexers.socketcall) numbers = {multiplexers.socketcall, multiplexers.ipc};
  for (const SeccompRule& rule : profile.syscalls)
    for (const std::string_view name : rule.names)
      if (const auto call = find_syscall(name); call && !rule.args.empty())
        if (const auto number = syscall_number(*call, architecture)) numbers.insert(*number);
  return numbers;
}

class Judge {
 public:
  Judge(const SeccompProfile& profile, Architecture native, std::mt19937_64& random)
      : profile_(profile), native_(native), random_(random), values_(interesting_values(profile)) {
    for (unsigned i = 0; i < kArchitectures; i++)
      oracles_.emplace_back(profile, native, static_cast<Architecture>(i));
  }

  Verdict run() {
    const Libseccomp* library = Libseccomp::load();
    if (library) theirs_ = library->compile(profile_, native_);
    verdict_.refused = library && !theirs_;
    auto ours = compile_seccomp(profile_, {.native = native_});
    if (!ours) {
      if (!verdict_.refused) verdict_.difference = "refused: " + std::string(ours.error().message().view());
      return verdict_;
    }
    ours_ = *ours;
    if (!is_valid_filter(ours_)) verdict_.difference = "not a valid filter";
    for (unsigned i = 0; i < kArchitectures; i++) judge_architecture(static_cast<Architecture>(i));
    return verdict_;
  }

 private:
  void judge_architecture(Architecture architecture) {
    const auto conditional = conditional_numbers(profile_, architecture);
    const auto judge_number = [&](uint32_t number) {
      const int tries = conditional.count(number) ? 40 : 2;
      for (int i = 0; i < tries; i++) judge_call(architecture, number, arguments_for(architecture));
    };
    for (uint32_t number = 0; number < 600; number++) judge_number(number);
    for (uint32_t number = kArmPrivateBase; number < kArmPrivateBase + 16; number++) judge_number(number);
    if (architecture != Architecture::kX32) judge_number(kMinusOne);
  }

  Arguments arguments_for(Architecture architecture) {
    Arguments arguments;
    for (uint64_t& argument : arguments) {
      argument = values_[random_() % values_.size()];
      // The kernel shows a 32-bit call's registers without anything above; x32 has all of them.
      if (has_32_bit_arguments(architecture) && architecture != Architecture::kX32) argument &= 0xffffffff;
    }
    return arguments;
  }

  void judge_call(Architecture architecture, uint32_t number, const Arguments& arguments) {
    const uint32_t seen = architecture == Architecture::kX32 ? number | kX32Bit : number;
    const seccomp_data data = call_data(architecture, seen, arguments);
    const auto ours = run_filter(ours_, data);
    const auto meant = meant_by_profile(architecture, number, arguments);
    verdict_.calls++;
    if (!ours || !meant.count(*ours)) return differ("the profile means ", *meant.begin(), ours, data);
    if (!theirs_ || is_stub(architecture, number)) return;
    const auto theirs = run_filter(*theirs_, data);
    // Cross-compiling, libseccomp turns some answers' bytes round twice.
    if (ours == theirs || (is_big_endian(native_) && ours == __builtin_bswap32(theirs.value_or(0)))) return;
    if (!meant.count(theirs.value_or(1)))
      verdict_.library_slips++;
    else
      differ("libseccomp says ", theirs.value_or(0), ours, data);
  }

  const Oracle& oracle(Architecture architecture) const {
    return oracles_[static_cast<size_t>(architecture)];
  }

  // Number -1, by which a tracer skips a call, looks like an x32 call; where x32 is foreign, it must not be
  // killed.
  std::set<uint32_t> meant_by_profile(Architecture architecture, uint32_t number,
                                      const Arguments& arguments) const {
    if (architecture != Architecture::kX86_64 || number != kMinusOne)
      return oracle(architecture).answers(number, arguments);
    if (oracle(Architecture::kX32).covered()) return oracle(Architecture::kX32).answers(number, arguments);
    if (oracle(architecture).covered()) return {oracle(architecture).default_answer()};
    return oracle(architecture).answers(number, arguments);
  }

  // Where runc puts a stub in front of libseccomp's program.
  bool is_stub(Architecture architecture, uint32_t number) const {
    const bool looks_like_x32 = architecture == Architecture::kX86_64 && number == kMinusOne;
    const Oracle& judge = oracle(looks_like_x32 ? Architecture::kX32 : architecture);
    return judge.covered() && judge.is_beyond(number);
  }

  void differ(const char* who, uint32_t expected, std::optional<uint32_t> ours, const seccomp_data& data) {
    if (!verdict_.difference.empty()) return;
    std::ostringstream text;
    text << std::hex << "arch " << data.arch << " call " << data.nr << " (";
    for (const uint64_t argument : data.args) text << argument << ' ';
    text << "): " << who << expected << ", we say " << ours.value_or(1);
    verdict_.difference = text.str();
  }

  const SeccompProfile& profile_;
  Architecture native_;
  std::mt19937_64& random_;
  std::vector<uint64_t> values_;
  std::vector<Oracle> oracles_;
  std::vector<sock_filter> ours_;
  std::optional<std::vector<sock_filter>> theirs_;
  Verdict verdict_;
};

}  // namespace

Verdict judge(const SeccompProfile& profile, Architecture native, std::mt19937_64& random) {
  return Judge(profile, native, random).run();
}

seccomp_data call_data(Architecture architecture, uint32_t number, const Arguments& arguments) {
  seccomp_data data{};
  data.nr = static_cast<int>(number);
  data.arch = audit_arch(architecture);
  for (size_t i = 0; i < arguments.size(); i++) {
    // A big-endian machine has the high word first; loads take each word as it is here.
    data.args[i] = is_big_endian(architecture) ? arguments[i] << 32 | arguments[i] >> 32 : arguments[i];
  }
  return data;
}

}  // namespace nsbox::test
