#include "core/cgroup/base_v2.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/text.h"
#include "core/cgroup/files.h"
#include "core/sys/syscalls.h"

namespace nsbox::cgroup {

namespace {

struct Candidate {
  UniqueFd dir;
  String path;            // As /proc/self/cgroup would have it.
  Controllers available;  // What it has itself.
  Controllers passed_on;  // What its children have.
  int write_error = 0;    // Why no group can be made in it.
  int pass_on_error = 0;  // Why its children cannot have more.
};

// To bring a process in, its user must be able to write cgroup.procs of the group that is above both the
// place it comes from and the one it goes to: that is the base, because we are in or below it.
int write_error_of(int dir) {
  const Status directory = sys::faccessat2(dir, ".", W_OK, AT_EACCESS);
  if (!directory) return directory.err();
  return sys::faccessat2(dir, "cgroup.procs", W_OK, AT_EACCESS).err();
}

// The own group first, then each one above it, to the root of the mount.
Vector<Candidate> candidates(const HierarchyLayout& layout, Controllers wanted) {
  Vector<Candidate> found;
  if (!layout.shows_own) return found;
  std::string_view path = layout.own_path;
  for (;;) {
    const String place = format(layout.mount_point, path.empty() ? "" : "/", path);
    if (auto dir = sys::open(place.c_str(), O_PATH | O_DIRECTORY)) {
      Candidate each;
      each.dir = std::move(dir).value();
      each.path = format("/", path);
      each.available = listed_in(each.dir.get(), "cgroup.controllers") & wanted;
      each.passed_on = listed_in(each.dir.get(), "cgroup.subtree_control") & wanted;
      each.write_error = write_error_of(each.dir.get());
      found.push_back(std::move(each));
    }
    if (path.empty()) return found;
    const size_t slash = path.rfind('/');
    path = path.substr(0, slash == std::string_view::npos ? 0 : slash);
  }
}

// The nearest that needs no change; else the one that can pass most on, the nearest of equals, by making it
// do so.
Candidate* choose(Vector<Candidate>& all) {
  Controllers existing;
  for (const Candidate& each : all) existing = existing | each.available;
  Vector<Candidate*> order;
  for (Candidate& each : all) {
    if (each.write_error) continue;
    if (each.passed_on == existing) return &each;
    order.push_back(&each);
  }
  std::sort(order.begin(), order.end(), [](const Candidate* a, const Candidate* b) {
    const unsigned of_a = a->available.count(), of_b = b->available.count();
    return of_a != of_b ? of_a > of_b : a < b;
  });
  Candidate* best = nullptr;
  for (Candidate* each : order) {
    if (best && each->available.count() <= best->passed_on.count()) break;
    auto done = pass_on(each->dir.get(), each->available);
    if (done)
      each->passed_on = each->available;
    else
      each->pass_on_error = done.err();
    if (!best || each->passed_on.count() > best->passed_on.count()) best = each;
  }
  return best;
}

constexpr std::string_view kDelegate = "run under `systemd-run --user --scope -p Delegate=yes`";

Unavailable explain(Controller controller, const HierarchyLayout& layout, const Vector<Candidate>& all) {
  const String subject = format("cgroup v2 controller ", name_of(controller, Version::kV2), ": ");
  if (!layout.shows_own)
    return {
        controller, Cause::kNotVisible,
        format(subject, layout.mount_point, " does not show the group of this process, ", layout.own_group)};
  const auto has_it = [&](const Candidate& each) { return each.available.has(controller); };
  if (std::none_of(all.begin(), all.end(), has_it)) {
    // At the real root cgroup.type is absent, and what is not listed there is not in the kernel.
    const bool at_root =
        !all.empty() && sys::faccessat2(all.back().dir.get(), "cgroup.type", F_OK, 0).err() == ENOENT;
    if (at_root) return {controller, Cause::kNotMounted, format(subject, "this kernel does not offer it")};
    return {controller, Cause::kNotDelegated,
            format(subject, "it is not passed on to the group ",
                   all.empty() ? layout.own_group : all.front().path)};
  }
  for (const Candidate& each : all)
    if (has_it(each) && each.pass_on_error == EBUSY)
      return {controller, Cause::kHasProcesses,
              format(subject, "the group ", each.path,
                     " has processes of its own, so it can pass no controller on, and no writable group "
                     "above it does; ",
                     kDelegate)};
  for (const Candidate& each : all)
    if (each.write_error == EROFS)
      return {controller, Cause::kReadOnly, format(subject, layout.mount_point, " is mounted read-only")};
  return {controller, Cause::kNotWritable,
          format(subject, "this user may change neither the group ", all.front().path, " nor one above it; ",
                 kDelegate)};
}

}  // namespace

Controllers listed_in(int dir, const char* file) {
  Controllers all;
  auto text = read_value(dir, file);
  if (!text) return all;
  std::string_view rest = trim(*text);
  while (!rest.empty())
    if (const auto known = controller_named(cut(rest, ' '))) all.add(*known);
  return all;
}

Status pass_on(int dir, Controllers controllers) {
  if (listed_in(dir, "cgroup.subtree_control").has_all(controllers)) return Ok{};
  String text;
  for_each(controllers,
           [&](Controller each) { append(text, text.empty() ? "+" : " +", name_of(each, Version::kV2)); });
  return write_value(dir, "cgroup.subtree_control", text);
}

BaseV2 find_base_v2(const HierarchyLayout& layout, Controllers wanted, Vector<Unavailable>& missing) {
  const Controllers always = wanted & layout.controllers & kAlwaysInV2;
  const Controllers real = (wanted & layout.controllers) - kAlwaysInV2;
  Vector<Candidate> all = candidates(layout, real);
  BaseV2 base;
  Controllers lacking = real | always;
  if (Candidate* chosen = choose(all)) {
    base.controllers = chosen->passed_on | (layout.controllers & kAlwaysInV2);
    base.dir = std::move(chosen->dir);
    lacking = real - chosen->passed_on;
  }
  for_each(lacking, [&](Controller each) {
    // Those that every group has are missing only for want of a group.
    if (always.has(each))
      for (Candidate& one : all) one.available.add(each);
    missing.push_back(explain(each, layout, all));
  });
  return base;
}

UniqueFd find_existing_base_v2(const HierarchyLayout& layout, std::string_view name) {
  const String wanted(name);
  for (Candidate& each : candidates(layout, {}))
    if (sys::faccessat2(each.dir.get(), wanted.c_str(), F_OK, 0)) return std::move(each.dir);
  return UniqueFd();
}

}  // namespace nsbox::cgroup
