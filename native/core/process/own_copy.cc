#include "core/process/own_copy.h"

#include <elf.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <linux/mount.h>
#include <linux/prctl.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "core/base/text.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr int kGetSeals = 1024 + 10, kAddSeals = 1024 + 9;  // F_GET_SEALS, F_ADD_SEALS
constexpr long kAllSeals = 1 | 2 | 4 | 8;                   // seal, shrink, grow, write

bool is_sealed(int program) {
  auto seals = sys::fcntl(program, kGetSeals, 0);
  return seals && (*seals & kAllSeals) == kAllSeals;
}

Result<UniqueFd> make_memory_file() {
  constexpr unsigned kExecutable = 0x10;  // MFD_EXEC: for a machine whose memory files are not, by default.
  auto made = sys::memfd_create("nsbox-runtime", MFD_CLOEXEC | MFD_ALLOW_SEALING | kExecutable);
  if (made.err() != EINVAL) return made;
  return sys::memfd_create("nsbox-runtime", MFD_CLOEXEC | MFD_ALLOW_SEALING);  // Before Linux 6.3.
}

Status copy_whole(int from, int to) {
  for (;;) {
    const long sent = sys::call(__NR_sendfile, to, from, nullptr, size_t{1} << 30);
    if (sent == 0) return Ok{};
    if (sys::failed(sent) && sent != -EINTR) return Error(static_cast<int>(-sent));
  }
}

// The same file, by a mount of our own that nobody else can see or change. It costs a tenth of a copy.
Result<UniqueFd> read_only_mount(int program) {
  UniqueFd mount = TRY(sys::open_tree(program, "", OPEN_TREE_CLONE | AT_EMPTY_PATH));
  mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  TRY(sys::mount_setattr(mount.get(), "", AT_EMPTY_PATH, attributes));
  return mount;
}

Result<UniqueFd> sealed_copy(int program) {
  UniqueFd copy = TRY(make_memory_file());
  TRY(copy_whole(program, copy.get()));
  TRY(sys::fcntl(copy.get(), kAddSeals, kAllSeals));
  return copy;
}

#if defined(__x86_64__)
// The linker's: where this program's own headers are mapped.
extern "C" const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));

constexpr uint64_t kPage = 4096;

// What is written to is copied, the rest is mapped from the other file, which has the same content.
Status map_from(const Elf64_Phdr& segment, int program) {
  const uint64_t start = segment.p_vaddr & ~(kPage - 1);
  const uint64_t size = ((segment.p_vaddr + segment.p_filesz + kPage - 1) & ~(kPage - 1)) - start;
  auto* const place = reinterpret_cast<void*>(start);
  if (!(segment.p_flags & PF_W))
    return sys::mmap_over(place, size, PROT_READ | PROT_EXEC, program, segment.p_offset & ~(kPage - 1));
  void* const copy = TRY(sys::mmap(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1));
  memcpy(copy, place, size);
  return sys::mremap_over(copy, size, place);
}

uint64_t end_of(const char* const* texts, const char* before) {
  for (; *texts; texts++) before = *texts + strlen(*texts) + 1;
  return reinterpret_cast<uint64_t>(before);
}

// The exe link is one of many things that are told at once; the others stay as they are.
Status change_exe_link(int program, const char* const* argv, const char* const* envp) {
  const auto stack = reinterpret_cast<uint64_t>(argv);
  const auto heap = static_cast<uint64_t>(sys::call(__NR_brk, 0));
  const auto code = reinterpret_cast<uint64_t>(&__ehdr_start);
  prctl_mm_map map = {};
  map.start_code = map.start_data = code;
  map.end_code = map.end_data = code + 1;
  map.start_brk = map.brk = heap;
  map.start_stack = stack;
  map.arg_start = argv[0] ? reinterpret_cast<uint64_t>(argv[0]) : stack;
  map.arg_end = end_of(argv, reinterpret_cast<const char*>(map.arg_start));
  map.env_start = map.arg_end;
  map.env_end = end_of(envp, reinterpret_cast<const char*>(map.env_start));
  map.exe_fd = static_cast<uint32_t>(program);
  TRY(sys::prctl(PR_SET_MM, PR_SET_MM_MAP, reinterpret_cast<unsigned long>(&map), sizeof map));
  return Ok{};
}

// Puts the same file, by its other mount, in the place of the one that this process was executed from: in its
// memory, for nothing of it may be mapped from a file that is to be let go, and as its exe link.
Status go_on_from(int mount, const char* const* argv, const char* const* envp) {
  if (__ehdr_start.e_type != ET_EXEC) return Error(ENOTSUP);
  const UniqueFd program = TRY(sys::open(format("/proc/self/fd/", mount).c_str(), O_RDONLY));
  const auto* const base = reinterpret_cast<const char*>(&__ehdr_start);
  const auto* const segments = reinterpret_cast<const Elf64_Phdr*>(base + __ehdr_start.e_phoff);
  for (unsigned i = 0; i < __ehdr_start.e_phnum; i++)
    if (segments[i].p_type == PT_LOAD) TRY(map_from(segments[i], program.get()));
  return change_exe_link(program.get(), argv, envp);
}

// Whether go_on_from() will do: who has made the mount may change the link, where the kernel lets anybody.
bool may_go_on_from_mount() {
  unsigned size = 0;
  return __ehdr_start.e_type == ET_EXEC &&
         sys::prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, reinterpret_cast<unsigned long>(&size)) &&
         size == sizeof(prctl_mm_map);
}
#else
Status go_on_from(int, const char* const*, const char* const*) { return Error(ENOTSUP); }
bool may_go_on_from_mount() { return false; }
#endif

bool is_read_only(int program) {
  constexpr long kReadOnly = 1;  // ST_RDONLY
  sys::KernelStatfs info = {};
  return sys::fstatfs(program, info) && (info.flags & kReadOnly);
}

// What prepare_own_copy() has left to enter_own_copy(), which may be called in a child.
struct Prepared {
  UniqueFd mount;
  const char* const* argv = nullptr;
  const char* const* envp = nullptr;
};
Prepared prepared;

bool is_own_copy(int program) { return is_sealed(program) || is_read_only(program); }

}  // namespace

Status run_from_own_copy(const char* const* argv, const char* const* envp) {
  UniqueFd program = TRY(sys::open("/proc/self/exe", O_RDONLY));
  if (is_own_copy(program.get())) return Ok{};
  auto copy = read_only_mount(program.get());
  // For the privileged, who may change the link, that is all; the others begin again.
  if (copy && go_on_from(copy->get(), argv, envp)) return Ok{};
  // An ordinary user can make no mount.
  if (!copy) copy = sealed_copy(program.get());
  if (!copy) return copy.error();
  return sys::execveat(copy->get(), "", argv, envp, AT_EMPTY_PATH);
}

Status prepare_own_copy(const char* const* argv, const char* const* envp) {
  UniqueFd program = TRY(sys::open("/proc/self/exe", O_RDONLY));
  if (is_own_copy(program.get())) return Ok{};
  if (!may_go_on_from_mount()) return run_from_own_copy(argv, envp);
  auto mount = read_only_mount(program.get());
  if (!mount) return run_from_own_copy(argv, envp);
  prepared = {std::move(*mount), argv, envp};
  return Ok{};
}

Status enter_own_copy() {
  const UniqueFd mount = std::move(prepared.mount);
  if (!mount) return Ok{};
  auto done = go_on_from(mount.get(), prepared.argv, prepared.envp);
  if (!done) return done.error().while_doing("go over to a mount of the runtime's own file");
  return Ok{};
}

}  // namespace nsbox
