#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "core/security/seccomp_profile.h"

namespace nsbox::test {

using Arguments = std::array<uint64_t, 6>;

// What a profile means for one architecture, rule by rule: no order of rules, no program.
class Oracle {
 public:
  Oracle(const SeccompProfile& profile, Architecture native, Architecture architecture);

  // Whether the profile is for this architecture at all.
  bool covered() const { return covered_; }
  // Whether the call lies behind all that the profile names, so that ENOSYS is the answer.
  bool is_beyond(uint32_t number) const;
  // The answers that the profile's words allow; more than one where rules of different answers match.
  // `number` has no x32 bit.
  std::set<uint32_t> answers(uint32_t number, const Arguments& arguments) const;
  uint32_t default_answer() const { return default_answer_; }

 private:
  struct Rule {
    uint32_t answer;
    std::vector<SeccompArg> args;
    uint64_t function;  // Of socketcall or ipc; 0 for a call of its own.
  };
  struct Match {
    bool unconditional;
    bool matches;
  };

  void add(const SeccompRule& rule);
  Match match(const Rule& rule, const Arguments& arguments) const;

  Architecture architecture_;
  bool covered_;
  bool beyond_is_missing_;
  bool low_only_;
  uint32_t default_answer_;
  uint32_t last_ = 0;
  std::set<uint32_t> named_;
  bool names_any_ = false;
  std::map<uint32_t, std::vector<Rule>> rules_;
};

}  // namespace nsbox::test
