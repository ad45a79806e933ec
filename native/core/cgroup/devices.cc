#include "core/cgroup/devices.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/resource.h>

#include <array>
#include <cerrno>

#include "core/cgroup/cgroup.h"
#include "core/sys/syscalls.h"

namespace nsbox::cgroup {

namespace {

constexpr DeviceRule allowed(uint32_t major, std::optional<uint32_t> minor) {
  return {.allow = true, .type = DeviceType::kChar, .major = major, .minor = minor};
}
constexpr DeviceRule mknod_of(DeviceType type) {
  return {.allow = true, .type = type, .read = false, .write = false};
}

constexpr DeviceRule kDefaultRules[] = {
    {.allow = false},
    mknod_of(DeviceType::kChar),
    mknod_of(DeviceType::kBlock),
    allowed(1, 3),              // null
    allowed(1, 5),              // zero
    allowed(1, 7),              // full
    allowed(1, 8),              // random
    allowed(1, 9),              // urandom
    allowed(5, 0),              // tty
    allowed(5, 1),              // console
    allowed(5, 2),              // ptmx
    allowed(136, std::nullopt)  // terminals
};

void append_number(String& out, std::optional<uint32_t> number) {
  if (number)
    append(out, *number);
  else
    append(out, '*');
}

// "c 1:3 rwm", as devices.allow reads it and a message shows it.
String text_of(const DeviceRule& rule) {
  String out;
  append(out, rule.type == DeviceType::kAll ? 'a' : rule.type == DeviceType::kBlock ? 'b' : 'c', ' ');
  append_number(out, rule.major);
  append(out, ':');
  append_number(out, rule.minor);
  append(out, ' ', rule.read ? "r" : "", rule.write ? "w" : "", rule.mknod ? "m" : "");
  return out;
}

// --- v1 ---

Status write_rule(int group, UniqueFd& file, const char* name, std::string_view text) {
  if (!file) file = TRY(sys::openat(group, name, O_WRONLY));
  TRY(sys::write(file.get(), text.data(), text.size()));
  return Ok{};
}

// The kernel's "a" means all devices, whatever numbers and access stand behind it: a narrower rule for both
// types is written as two.
Status write_v1_rule(int group, UniqueFd& allow, UniqueFd& deny, DeviceRule rule) {
  UniqueFd& file = rule.allow ? allow : deny;
  const char* name = rule.allow ? "devices.allow" : "devices.deny";
  const bool narrow = rule.major || rule.minor || !rule.read || !rule.write || !rule.mknod;
  if (rule.type != DeviceType::kAll || !narrow) return write_rule(group, file, name, text_of(rule));
  rule.type = DeviceType::kBlock;
  TRY(write_rule(group, file, name, text_of(rule)));
  rule.type = DeviceType::kChar;
  return write_rule(group, file, name, text_of(rule));
}

Status apply_v1(int group, std::span<const DeviceRule> rules) {
  UniqueFd allow, deny;
  for (const DeviceRule& rule : rules) {
    if (!rule.read && !rule.write && !rule.mknod) continue;
    auto done = write_v1_rule(group, allow, deny, rule);
    if (!done) return done.error().while_doing(rule.allow ? "allow" : "deny", " devices ", text_of(rule));
  }
  return Ok{};
}

// --- v2 ---

uint64_t address(const void* pointer) { return reinterpret_cast<uint64_t>(pointer); }

Result<UniqueFd> load_program(const Vector<uint64_t>& words) {
  bpf_attr attributes = {};
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insns = address(words.data());
  attributes.insn_cnt = static_cast<uint32_t>(words.size());
  attributes.license = address("MIT");
  auto loaded = sys::bpf(BPF_PROG_LOAD, &attributes, sizeof attributes);
  if (loaded.err() == EPERM) {
    // Before Linux 5.11 programs count as locked memory, of which the soft limit may leave too little.
    rlimit64 limit = {};
    if (sys::prlimit(0, RLIMIT_MEMLOCK, nullptr, &limit) && limit.rlim_cur < limit.rlim_max) {
      limit.rlim_cur = limit.rlim_max;
      (void)sys::prlimit(0, RLIMIT_MEMLOCK, &limit, nullptr);
      loaded = sys::bpf(BPF_PROG_LOAD, &attributes, sizeof attributes);
    }
  }
  if (!loaded) return loaded.error();
  UniqueFd program(*loaded);
  return program;
}

struct Attached {
  std::array<uint32_t, 64> ids = {};
  uint32_t count = 0;
};

Result<Attached> query_attached(int group) {
  Attached attached;
  bpf_attr attributes = {};
  attributes.query.target_fd = static_cast<uint32_t>(group);
  attributes.query.attach_type = BPF_CGROUP_DEVICE;
  attributes.query.prog_ids = address(attached.ids.data());
  attributes.query.prog_cnt = static_cast<uint32_t>(attached.ids.size());
  TRY(sys::bpf(BPF_PROG_QUERY, &attributes, sizeof attributes));
  attached.count = attributes.query.prog_cnt;
  return attached;
}

Result<UniqueFd> open_program(uint32_t id) {
  bpf_attr attributes = {};
  attributes.prog_id = id;
  const int fd = TRY(sys::bpf(BPF_PROG_GET_FD_BY_ID, &attributes, sizeof attributes));
  return UniqueFd(fd);
}

Status change_attached(int command, int group, int program) {
  bpf_attr attributes = {};
  attributes.target_fd = static_cast<uint32_t>(group);
  attributes.attach_bpf_fd = static_cast<uint32_t>(program);
  attributes.attach_type = BPF_CGROUP_DEVICE;
  if (command == BPF_PROG_ATTACH) attributes.attach_flags = BPF_F_ALLOW_MULTI;
  TRY(sys::bpf(command, &attributes, sizeof attributes));
  return Ok{};
}

// All programs of a group and of those above it must say yes, so the new one is added before the old ones go:
// there is no moment without a rule.
Status apply_v2(int group, std::span<const DeviceRule> rules) {
  const UniqueFd program = TRY(load_program(device_program(rules)));
  const Attached old = TRY(query_attached(group));
  TRY(change_attached(BPF_PROG_ATTACH, group, program.get()));
  for (uint32_t i = 0; i < old.count; i++) {
    const UniqueFd replaced = TRY(open_program(old.ids[i]));
    TRY(change_attached(BPF_PROG_DETACH, group, replaced.get()));
  }
  return Ok{};
}

}  // namespace

std::span<const DeviceRule> default_device_rules() { return kDefaultRules; }

Status apply_device_rules(const Hierarchy& group, std::span<const DeviceRule> rules) {
  if (rules.empty()) return Ok{};
  if (group.version == Version::kV1) return apply_v1(group.dir.get(), rules);
  auto done = apply_v2(group.dir.get(), rules);
  if (!done) return done.error().while_doing("restrict devices by a BPF program");
  return done;
}

}  // namespace nsbox::cgroup
