#pragma once

#include <linux/filter.h>

#include <optional>
#include <string>
#include <vector>

#include "core/security/seccomp_profile.h"

// Debian's libseccomp, loaded where it is there, as the judge of our compiler.
namespace nsbox::test {

class Libseccomp {
 public:
  // Null where the library is missing.
  static const Libseccomp* load();

  // Whether it has the same numbers for the call as we have.
  bool knows(std::string_view name) const;
  // The program that it makes of the profile when it is driven as runc does; nothing where it refuses a rule.
  std::optional<std::vector<sock_filter>> compile(const SeccompProfile& profile, Architecture native) const;

 private:
  struct Comparison {
    unsigned index;
    int op;
    uint64_t value, value_two;
  };

  bool add_rule(void* context, const SeccompRule& rule, uint32_t default_answer) const;
  bool add(void* context, uint32_t answer, int call, const std::vector<Comparison>& comparisons) const;

  void* (*init_)(uint32_t) = nullptr;
  void (*release_)(void*) = nullptr;
  int (*arch_add_)(void*, uint32_t) = nullptr;
  int (*arch_remove_)(void*, uint32_t) = nullptr;
  int (*resolve_)(const char*) = nullptr;
  int (*resolve_on_)(uint32_t, const char*) = nullptr;
  int (*rule_add_)(void*, uint32_t, int, unsigned, const Comparison*) = nullptr;
  int (*export_)(void*, int) = nullptr;
};

}  // namespace nsbox::test
