#include "core/container/state.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/spec/reader.h"
#include "core/sys/file.h"
#include "core/sys/syscalls.h"

namespace nsbox {
namespace {

constexpr const char* kStateFile = "state.json";
constexpr const char* kStateCopy = "state.copy.json";
// A name of its own: `update`, which may come as soon as the program runs, writes aside as well.
constexpr const char* kStateAside = ".state.made.json";
// Leads nowhere: its text is the first process, for where both states are lost.
constexpr const char* kInitLink = "init";
constexpr size_t kMaxState = size_t{4} << 20;
constexpr std::string_view kManagers[] = {"cgroupfs", "systemd", "disabled"};

void write_process(json::Writer& out, std::string_view name, const ProcessId& process) {
  out.key(name).begin_object();
  out.key("pid").number(process.pid);
  out.key("start").unsigned_number(process.start);
  out.end_object();
}

void write_groups(json::Writer& out, std::string_view name, const Vector<GroupPath>& groups) {
  out.key(name).begin_array();
  for (const GroupPath& one : groups) {
    out.begin_object();
    out.key("path").string(one.path);
    out.key("controllers").unsigned_number(one.controllers.bits());
    out.key("version").number(one.version == cgroup::Version::kV2 ? 2 : 1);
    out.end_object();
  }
  out.end_array();
}

Status read_text(const Reader& object, std::string_view field, String& out) {
  std::string_view text;
  TRY(object.read(field, text));
  out = String(text);
  return Ok{};
}

Status read_process(const Reader& state, std::string_view name, ProcessId& out) {
  return state.with_object(name, [&](const Reader& process) -> Status {
    uint32_t pid = 0;
    TRY(process.read("pid", pid));
    if (pid > INT32_MAX) return process.refuse("pid", "not a process id");
    out.pid = static_cast<pid_t>(pid);
    return process.read("start", out.start);
  });
}

Status read_group(const Reader& entry, Vector<GroupPath>& out) {
  GroupPath group;
  uint32_t bits = 0, version = 1;
  TRY(read_text(entry, "path", group.path));
  TRY(entry.read("controllers", bits));
  TRY(entry.read("version", version));
  if (!group.path.view().starts_with('/')) return entry.refuse("path", "expected an absolute path");
  group.controllers = cgroup::Controllers::from_bits(bits);
  group.version = version == 2 ? cgroup::Version::kV2 : cgroup::Version::kV1;
  out.push_back(std::move(group));
  return Ok{};
}

Status read_manager(const Reader& state, CgroupManager& out) {
  std::string_view name = kManagers[0];
  TRY(state.read("manager", name));
  for (uint8_t i = 0; i < 3; i++)
    if (name == kManagers[i]) {
      out = static_cast<CgroupManager>(i);
      return Ok{};
    }
  return state.refuse("manager", "unknown");
}

Status read_annotations(const Reader& object, State& out) {
  for (const json::Member& member : object.value().members()) {
    std::string_view value;
    TRY(object.read(member.name, value));
    out.annotations.push_back({String(member.name), String(value)});
  }
  return Ok{};
}

Status read_state(const Reader& state, State& out) {
  TRY(state.expect_object());
  uint32_t version = 0;
  TRY(state.read("version", version));
  if (version != kStateVersion) return state.refuse("version", format("expected ", kStateVersion));
  TRY(read_text(state, "id", out.id));
  TRY(read_text(state, "ociVersion", out.oci_version));
  TRY(read_text(state, "bundle", out.bundle));
  TRY(read_text(state, "rootfs", out.rootfs));
  TRY(read_text(state, "created", out.created));
  TRY(state.read("made", out.made));
  TRY(read_process(state, "creator", out.creator));
  TRY(read_process(state, "init", out.init));
  TRY(state.read("owner", out.owner));
  TRY(state.read("namespaces", out.namespaces));
  TRY(read_manager(state, out.manager));
  TRY(read_text(state, "cgroupsPath", out.cgroups_path));
  TRY(read_text(state, "unit", out.unit));
  TRY(state.read("userBus", out.user_bus));
  TRY(state.each_object("groups", [&](const Reader& entry) { return read_group(entry, out.groups); }));
  TRY(state.each_object("furtherGroups",
                        [&](const Reader& entry) { return read_group(entry, out.further_groups); }));
  TRY(state.read("filterFlags", out.filter_flags));
  TRY(state.read("filterListens", out.filter_listens));
  TRY(state.read("poststart", out.has_poststart));
  TRY(state.read("poststop", out.has_poststop));
  TRY(state.read("intelRdt", out.intel_rdt));
  TRY(state.read("newKeyring", out.new_keyring));
  return state.with_object("annotations",
                           [&](const Reader& object) { return read_annotations(object, out); });
}

bool is_id_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '+' ||
         c == '-' || c == '.';
}

Result<UniqueFd> make_root(std::string_view root) {
  const String path(root);
  TRY(make_directories_at(AT_FDCWD, path, 0700));
  auto dir = sys::open(path.c_str(), O_RDONLY | O_DIRECTORY);
  if (!dir) return dir.error().while_doing("open the state directory ", root);
  return dir;
}

// Callers compare the words; they know which one they have asked for.
Error does_not_exist() { return Error::plain(ENOENT, "container does not exist"); }

}  // namespace

String session_keyring_name(std::string_view id) { return format("_ses.", id); }

String state_to_json(const State& state) {
  json::Writer out;
  out.begin_object();
  out.key("version").number(kStateVersion);
  out.key("id").string(state.id);
  out.key("ociVersion").string(state.oci_version);
  out.key("bundle").string(state.bundle);
  out.key("rootfs").string(state.rootfs);
  out.key("created").string(state.created);
  out.key("made").boolean(state.made);
  write_process(out, "creator", state.creator);
  write_process(out, "init", state.init);
  out.key("owner").unsigned_number(state.owner);
  out.key("namespaces").unsigned_number(state.namespaces);
  out.key("manager").string(kManagers[static_cast<uint8_t>(state.manager)]);
  out.key("cgroupsPath").string(state.cgroups_path);
  if (!state.unit.empty()) out.key("unit").string(state.unit);
  if (state.user_bus) out.key("userBus").boolean(true);
  write_groups(out, "groups", state.groups);
  if (!state.further_groups.empty()) write_groups(out, "furtherGroups", state.further_groups);
  if (state.filter_flags) out.key("filterFlags").unsigned_number(state.filter_flags);
  if (state.filter_listens) out.key("filterListens").boolean(true);
  if (state.has_poststart) out.key("poststart").boolean(true);
  if (state.has_poststop) out.key("poststop").boolean(true);
  if (state.intel_rdt) out.key("intelRdt").boolean(true);
  if (state.new_keyring) out.key("newKeyring").boolean(true);
  out.key("annotations").begin_object();
  for (const StateAnnotation& one : state.annotations) out.key(one.name).string(one.value);
  out.end_object();
  out.end_object();
  return out.take();
}

Result<State> parse_state(std::string_view text) {
  Arena arena;
  const json::Value document = TRY(json::parse(text, arena));
  State out;
  TRY(read_state(Reader(document, "state"), out));
  return out;
}

Status check_id(std::string_view id) {
  if (id.empty()) return Error::invalid("container id cannot be empty");
  if (id.size() > kMaxIdLength)
    return Error::invalid("invalid container ID format: longer than ", kMaxIdLength, " characters");
  const bool clean = std::all_of(id.begin(), id.end(), is_id_character);
  if (!clean || id == "." || id == "..")
    return Error::invalid("invalid container ID format: ", id, ": expected letters, digits and _ + - .");
  return Ok{};
}

Result<StateDirectory> StateDirectory::create(std::string_view root, std::string_view id) {
  TRY(check_id(id));
  UniqueFd parent = TRY(make_root(root));
  const String name(id);
  auto made = sys::mkdirat(parent.get(), name.c_str(), 0700);
  if (made.err() == EEXIST) return Error::plain(EEXIST, "container with given ID already exists: ", id);
  if (!made) return made.error().while_doing("make the state directory ", root, "/", id);
  auto dir = sys::openat(parent.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!dir) return dir.error().while_doing("open the state directory ", root, "/", id);
  return StateDirectory(std::move(parent), std::move(*dir), id);
}

Result<StateDirectory> StateDirectory::open(std::string_view root, std::string_view id) {
  TRY(check_id(id));
  auto parent = sys::open(String(root).c_str(), O_RDONLY | O_DIRECTORY);
  if (parent.err() == ENOENT) return does_not_exist();
  if (!parent) return parent.error().while_doing("open the state directory ", root);
  auto dir = sys::openat(parent->get(), String(id).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (dir.err() == ENOENT || dir.err() == ENAMETOOLONG) return does_not_exist();
  if (!dir) return dir.error().while_doing("open the state of ", id);
  return StateDirectory(std::move(*parent), std::move(*dir), id);
}

Result<State> StateDirectory::read() const {
  auto text = read_file_at(dir_.get(), kStateFile, kMaxState);
  if (text.err() == ENOENT)
    return Error::plain(ENOENT, "the container ", id_,
                        " is half made: it has no state yet (delete --force removes it)");
  if (!text) return text.error().while_doing("read the state of ", id_);
  auto state = parse_state(*text);
  if (!state)
    return Error::plain(state.err(), "the state of ", id_,
                        " is damaged (delete --force removes it): ", state.error().message());
  return state;
}

Result<State> StateDirectory::read_copy() const {
  return parse_state(TRY(read_file_at(dir_.get(), kStateCopy, kMaxState)));
}

Status StateDirectory::write_copy(const State& state) const {
  (void)sys::unlinkat(dir_.get(), kInitLink, 0);
  TRY(sys::symlinkat(format(state.init.pid, ":", state.init.start).c_str(), dir_.get(), kInitLink));
  return write_file(kStateCopy, state_to_json(state));
}

std::optional<ProcessId> StateDirectory::remembered_init() const {
  char buffer[64];
  auto size = sys::readlinkat(dir_.get(), kInitLink, buffer, sizeof buffer);
  if (!size) return {};
  std::string_view rest(buffer, *size);
  const auto pid = parse_id(cut(rest, ':'));
  const auto start = parse_unsigned(rest);
  if (!pid || !start) return {};
  return ProcessId{static_cast<pid_t>(*pid), *start};
}

Status StateDirectory::write(const State& state) const {
  return write_file(kStateFile, state_to_json(state));
}

Status StateDirectory::write_aside(const State& state) const {
  return write_new_file(kStateAside, state_to_json(state));
}

Status StateDirectory::put_in_place(int directory) {
  auto done = sys::renameat2(directory, kStateAside, directory, kStateFile, 0);
  if (!done) return done.error().while_doing("write ", kStateFile);
  return Ok{};
}

bool StateDirectory::is_put_in_place() const {
  return sys::faccessat2(dir_.get(), kStateAside, 0, 0).err() == ENOENT;
}

Status StateDirectory::write_file(const char* name, std::string_view content) const {
  const String aside = format(".", name);
  TRY(write_new_file(aside.c_str(), content));
  auto done = sys::renameat2(dir_.get(), aside.c_str(), dir_.get(), name, 0);
  if (!done) return done.error().while_doing("write ", name, " of ", id_);
  return Ok{};
}

Status StateDirectory::write_new_file(const char* name, std::string_view content) const {
  auto file = sys::openat(dir_.get(), name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
  if (!file) return file.error().while_doing("write ", name, " of ", id_);
  auto done = write_all(file->get(), content.data(), content.size());
  if (!done) return done.error().while_doing("write ", name, " of ", id_);
  return Ok{};
}

Status StateDirectory::lock(uint64_t timeout_ns) const {
  const uint64_t end = sys::monotonic_ns() + timeout_ns;
  for (uint64_t pause = 50'000;; pause = pause < 5'000'000 ? pause * 2 : pause) {
    auto done = sys::flock(dir_.get(), LOCK_EX | LOCK_NB);
    if (done || (done.err() != EWOULDBLOCK && done.err() != EINTR)) return done;
    if (sys::monotonic_ns() > end)
      return Error::plain(EBUSY, "another command is at work on the container ", id_);
    (void)sys::nanosleep(pause);
  }
}

// By then the name may be another container's: of one that was made after somebody else had removed ours.
bool StateDirectory::is_in_place() const {
  auto named = sys::statx(parent_.get(), id_.c_str(), AT_SYMLINK_NOFOLLOW, STATX_INO);
  auto ours = sys::statx(dir_.get(), "", AT_EMPTY_PATH, STATX_INO);
  return named && ours && named->stx_ino == ours->stx_ino;
}

Status StateDirectory::remove() const {
  if (!is_in_place()) return Ok{};
  // First, as it is what tells of groups where the state is lost: these are gone by now.
  (void)sys::unlinkat(dir_.get(), "config.json", 0);
  auto done = remove_tree_at(parent_.get(), id_.c_str());
  if (!done) return done.error().while_doing("remove the state of ", id_);
  return Ok{};
}

Result<Vector<String>> list_ids(std::string_view root) {
  Vector<String> ids;
  auto dir = sys::open(String(root).c_str(), O_RDONLY | O_DIRECTORY);
  if (dir.err() == ENOENT) return ids;
  if (!dir) return dir.error().while_doing("open the state directory ", root);
  for (DirectoryEntry& entry : TRY(read_directory(dir->get())))
    if (check_id(entry.name)) ids.push_back(std::move(entry.name));
  std::sort(ids.begin(), ids.end(), [](const String& a, const String& b) { return a.view() < b.view(); });
  return ids;
}

Result<String> default_root(std::string_view xdg_runtime_dir) {
  constexpr int kWrite = 2;
  if (sys::faccessat2(AT_FDCWD, "/run", kWrite, AT_EACCESS)) return String("/run/nsbox");
  if (xdg_runtime_dir.starts_with('/')) return format(xdg_runtime_dir, "/nsbox");
  return Error::invalid(
      "this user may not write to /run: set XDG_RUNTIME_DIR, or name a directory with --root");
}

}  // namespace nsbox
