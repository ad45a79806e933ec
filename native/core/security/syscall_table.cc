#include "core/security/syscall_table.h"

#include <array>

namespace nsbox {

namespace {

constexpr uint16_t _ = kNoSlot;

constexpr uint16_t kSlots[][kArchitectures] = {
#define SYSCALL(name, ...) {__VA_ARGS__},
#include "core/security/syscall_table.inc"
#undef SYSCALL
};
constexpr unsigned kCount = std::size(kSlots);

// All names in one text, so that the table has no pointers.
constexpr char kNames[] =
#define SYSCALL(name, ...) #name "\0"
#include "core/security/syscall_table.inc"
#undef SYSCALL
    ;

constexpr auto kStarts = [] {
  std::array<uint16_t, kCount + 1> starts{};
  unsigned at = 0;
  for (unsigned i = 0; i < kCount; i++) {
    starts[i] = static_cast<uint16_t>(at);
    while (kNames[at] != '\0') at++;
    at++;
  }
  starts[kCount] = static_cast<uint16_t>(at);
  return starts;
}();

constexpr std::string_view name_at(unsigned i) {
  return {kNames + kStarts[i], static_cast<size_t>(kStarts[i + 1] - kStarts[i] - 1)};
}

// A hash index made at compile time: a profile names hundreds of calls, and a container's start waits for
// each.
constexpr unsigned kBuckets = 2048;

constexpr unsigned bucket_of(std::string_view name) {
  uint32_t hash = 2166136261;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
  return (hash ^ (hash >> 15)) % kBuckets;
}

constexpr auto kIndex = [] {
  std::array<uint16_t, kBuckets> index{};
  for (uint16_t& bucket : index) bucket = kNoSlot;
  for (unsigned i = 0; i < kCount; i++) {
    unsigned bucket = bucket_of(name_at(i));
    while (index[bucket] != kNoSlot) bucket = (bucket + 1) % kBuckets;
    index[bucket] = static_cast<uint16_t>(i);
  }
  return index;
}();

constexpr auto kMultiplexed = [] {
  // socketcall(2)'s functions from 1 on, ipc(2)'s by their numbers.
  constexpr std::string_view kSocket[] = {
      "socket",     "bind",    "connect", "listen",  "accept",   "getsockname", "getpeername",
      "socketpair", "send",    "recv",    "sendto",  "recvfrom", "shutdown",    "setsockopt",
      "getsockopt", "sendmsg", "recvmsg", "accept4", "recvmmsg", "sendmmsg"};
  constexpr std::pair<std::string_view, uint8_t> kIpc[] = {
      {"semop", 1},   {"semget", 2},  {"semctl", 3}, {"semtimedop", 4}, {"msgsnd", 11}, {"msgrcv", 12},
      {"msgget", 13}, {"msgctl", 14}, {"shmat", 21}, {"shmdt", 22},     {"shmget", 23}, {"shmctl", 24}};
  std::array<Multiplexed, kCount> found{};
  for (unsigned i = 0; i < kCount; i++) {
    for (unsigned k = 0; k < std::size(kSocket); k++)
      if (kSocket[k] == name_at(i)) found[i].socketcall = static_cast<uint8_t>(k + 1);
    for (const auto& [name, number] : kIpc)
      if (name == name_at(i)) found[i].ipc = number;
  }
  return found;
}();

}  // namespace

std::optional<SyscallIndex> find_syscall(std::string_view name) {
  for (unsigned bucket = bucket_of(name); kIndex[bucket] != kNoSlot; bucket = (bucket + 1) % kBuckets)
    if (name_at(kIndex[bucket]) == name) return kIndex[bucket];
  return std::nullopt;
}

uint16_t syscall_slot(SyscallIndex call, Architecture architecture) {
  return kSlots[call][static_cast<size_t>(architecture)];
}

std::optional<uint32_t> syscall_number(SyscallIndex call, Architecture architecture) {
  const uint16_t slot = syscall_slot(call, architecture);
  if (slot == kNoSlot) return std::nullopt;
  return number_of_slot(slot);
}

Multiplexed multiplexed(SyscallIndex call) { return kMultiplexed[call]; }

unsigned syscall_count() { return kCount; }
std::string_view syscall_name(SyscallIndex call) { return name_at(call); }

}  // namespace nsbox
