#include "core/cgroup/cgroup.h"

#include <fcntl.h>
#include <napi.h>
#include <poll.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>

#include "addon/convert.h"
#include "addon/exports.h"
#include "addon/janitor.h"
#include "addon/poll.h"
#include "addon/pool.h"
#include "addon/stats.h"
#include "core/base/json.h"
#include "core/cgroup/events.h"
#include "core/container/status.h"
#include "core/spec/resources.h"
#include "core/sys/syscalls.h"

namespace nsbox::addon {
namespace {

using namespace cgroup;

Napi::Value entries_to_js(Napi::Env env, const GroupSet& set) {
  const Napi::Array out = Napi::Array::New(env, set.hierarchies.size());
  for (uint32_t i = 0; i < set.hierarchies.size(); i++) {
    const Hierarchy& one = set.hierarchies[i];
    const Napi::Object entry = Napi::Object::New(env);
    entry.Set("fd", Napi::Number::New(env, one.dir.get()));
    entry.Set("controllers", Napi::Number::New(env, one.controllers.bits()));
    entry.Set("version", Napi::Number::New(env, one.version == Version::kV2 ? 2 : 1));
    out.Set(i, entry);
  }
  return out;
}

const char* name_of(Cause cause) {
  switch (cause) {
    case Cause::kNotMounted:
      return "not-mounted";
    case Cause::kReadOnly:
      return "read-only";
    case Cause::kNotWritable:
      return "not-writable";
    case Cause::kNotDelegated:
      return "not-delegated";
    case Cause::kHasProcesses:
      return "has-processes";
    case Cause::kNotVisible:
      break;
  }
  return "not-visible";
}

// The group of one Node process, in which each of its boxes has its own. Jobs on the pool hold it by a shared
// pointer: the JavaScript object may be gone before they end.
class CgroupParent : public Napi::ObjectWrap<CgroupParent> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(
        env, "CgroupParent",
        {InstanceMethod<&CgroupParent::entries>("entries"), InstanceMethod<&CgroupParent::missing>("missing"),
         InstanceMethod<&CgroupParent::remove_box>("remove"),
         InstanceMethod<&CgroupParent::remove_now>("removeNow"),
         InstanceMethod<&CgroupParent::remove_self>("removeSelf"),
         InstanceMethod<&CgroupParent::stats>("stats"), InstanceMethod<&CgroupParent::update>("update"),
         InstanceMethod<&CgroupParent::freeze_box>("freeze"), InstanceMethod<&CgroupParent::thaw_box>("thaw"),
         InstanceMethod<&CgroupParent::oom_kills>("oomKills"),
         InstanceMethod<&CgroupParent::attach_pid>("attach")});
  }

  // (name, wanted controllers, janitor)
  explicit CgroupParent(const Napi::CallbackInfo& info) : Napi::ObjectWrap<CgroupParent>(info) {
    auto opened = open(text_of(info[0]), Controllers::from_bits(unsigned_of(info[1])), int_of(info[2]));
    if (!opened) {
      throw_js(info.Env(), opened.error());
      return;
    }
    parent_ = std::make_shared<Parent>(std::move(*opened));
  }

 private:
  struct Charge {
    int janitor;
    std::string_view name;
  };

  static Result<Parent> open(const std::string& name, Controllers wanted, int janitor) {
    const Layout layout = TRY(read_layout());
    Charge charge{janitor, name};
    ParentRequest request;
    request.name = name;
    request.wanted = wanted;
    request.before_making = &charge_janitor;
    request.context = &charge;
    return create_parent(layout, request);
  }

  static Status charge_janitor(void* context, const GroupSet& bases) {
    const auto& charge = *static_cast<const Charge*>(context);
    for (const Hierarchy& base : bases.hierarchies) {
      const uint32_t version = base.version == Version::kV2 ? 2 : 1;
      const JanitorCharge header{.is_group = 1, .controllers = base.controllers.bits(), .version = version};
      TRY(send_charge(charge.janitor, header, charge.name, base.dir.get()));
    }
    return Ok{};
  }

  Napi::Value entries(const Napi::CallbackInfo& info) { return entries_to_js(info.Env(), parent_->groups); }

  // [{ controller, cause, text }]
  Napi::Value missing(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const Napi::Array out = Napi::Array::New(env, parent_->missing.size());
    for (uint32_t i = 0; i < parent_->missing.size(); i++) {
      const Unavailable& one = parent_->missing[i];
      const Napi::Object entry = Napi::Object::New(env);
      entry.Set("controller", to_js(env, cgroup::name_of(one.controller)));
      entry.Set("cause", Napi::String::New(env, name_of(one.cause)));
      entry.Set("text", to_js(env, one.text.view()));
      out.Set(i, entry);
    }
    return out;
  }

  Napi::Value remove_box(const Napi::CallbackInfo& info) {
    return queue_status(info.Env(), [parent = parent_, name = text_of(info[0])] {
      return cgroup::remove(parent->groups, name.c_str());
    });
  }

  // (name): whether it is gone. All of an ended box's groups are empty: removing them takes no waiting.
  Napi::Value remove_now(const Napi::CallbackInfo& info) {
    const std::string name = text_of(info[0]);
    bool gone = true;
    for (const Hierarchy& one : parent_->groups.hierarchies) {
      auto removed = sys::unlinkat(one.dir.get(), name.c_str(), AT_REMOVEDIR);
      if (!removed && removed.err() != ENOENT) gone = false;
    }
    return Napi::Boolean::New(info.Env(), gone);
  }

  // Synchronous: the environment is ending.
  Napi::Value remove_self(const Napi::CallbackInfo& info) {
    (void)cgroup::remove(parent_->bases, parent_->name.c_str());
    return info.Env().Undefined();
  }

  Napi::Value stats(const Napi::CallbackInfo& info) {
    return queue(
        info.Env(),
        [parent = parent_, name = text_of(info[0])]() -> Result<Stats> {
          const GroupSet box = TRY(open_group(parent->groups, name.c_str()));
          return read_stats(box);
        },
        stats_to_js);
  }

  // (name, linux.resources as JSON)
  Napi::Value update(const Napi::CallbackInfo& info) {
    return queue_status(info.Env(),
                        [parent = parent_, name = text_of(info[0]), text = text_of(info[1])]() -> Status {
                          Arena arena;
                          const json::Value document = TRY(json::parse(text, arena));
                          const Limits limits = TRY(parse_resources(document));
                          GroupSet box = TRY(open_group(parent->groups, name.c_str()));
                          TRY(parent->require(needed_controllers(limits)));
                          const Controllers further = needed_controllers(limits) - box.controllers();
                          if (!further.empty()) TRY(join(box, parent->groups, name.c_str(), further));
                          return apply_limits(box, limits);
                        });
  }

  Napi::Value freeze_box(const Napi::CallbackInfo& info) {
    return queue_status(info.Env(), [parent = parent_, name = text_of(info[0])]() -> Status {
      GroupSet box = TRY(open_group(parent->groups, name.c_str()));
      if (!box.controllers().has_any({Controller::kFreezer, Controller::kUnified}))
        TRY(join(box, parent->groups, name.c_str(), {Controller::kFreezer}));
      return freeze(box);
    });
  }

  Napi::Value thaw_box(const Napi::CallbackInfo& info) {
    return queue_status(info.Env(), [parent = parent_, name = text_of(info[0])]() -> Status {
      const GroupSet box = TRY(open_group(parent->groups, name.c_str()));
      return thaw(box);
    });
  }

  // Synchronous, one small read: asked only when a process was killed. -1 when the kernel does not tell.
  Napi::Value oom_kills(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), count_oom_kills(text_of(info[0])));
  }

  // (name, pid): for a box that another group's process starts.
  Napi::Value attach_pid(const Napi::CallbackInfo& info) {
    return queue_status(info.Env(),
                        [parent = parent_, name = text_of(info[0]), pid = int_of(info[1])]() -> Status {
                          const GroupSet box = TRY(open_group(parent->groups, name.c_str()));
                          return attach(box, pid);
                        });
  }

  friend class OomWatcher;

  double count_oom_kills(const std::string& name) const {
    const Hierarchy* memory = parent_->groups.find(Controller::kMemory);
    if (!memory) return -1;
    GroupSet only_memory;
    auto dir = sys::openat(memory->dir.get(), name.c_str(), O_PATH | O_DIRECTORY);
    if (!dir) return -1;
    only_memory.hierarchies.push_back({memory->controllers, memory->version, std::move(*dir)});
    auto count = oom_kill_count(only_memory);
    return count && *count ? static_cast<double>(**count) : -1;
  }

  std::shared_ptr<Parent> parent_;
};

// Tells whenever the kernel has killed a process of one box for want of memory.
class OomWatcher : public Napi::ObjectWrap<OomWatcher>, private Poll {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "OomWatcher", {InstanceMethod<&OomWatcher::close_watch>("close")});
  }

  // (CgroupParent, name, onLack(kills so far)), or the root and the id of an OCI container: v1 tells before
  // it has killed anything.
  explicit OomWatcher(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<OomWatcher>(info), Poll(info.Env()), env_(info.Env()) {
    auto opened = open_watch(info[0], text_of(info[1]));
    if (!opened) {
      throw_js(env_, opened.error().while_doing("watch for a lack of memory"));
      return;
    }
    on_kill_ = Napi::Persistent(info[2].As<Napi::Function>());
    Poll::start(watch_->poll_events() & POLLPRI ? UV_PRIORITIZED : UV_READABLE);
    Poll::unref();
    Ref();
  }

 private:
  static Result<GroupSet> find_groups(const Napi::Value& place, const std::string& name) {
    if (place.IsString()) {
      const StateDirectory directory = TRY(StateDirectory::open(text_of(place), name));
      return open_groups(TRY(directory.read()));
    }
    return open_group(CgroupParent::Unwrap(place.As<Napi::Object>())->parent_->groups, name.c_str());
  }

  Status open_watch(const Napi::Value& place, const std::string& name) {
    const GroupSet box = TRY(find_groups(place, name));
    watch_ = TRY(OomWatch::open(box));
    if (!watch_) return Error(kNoController);
    (void)watch_->read();  // From here on.
    return Poll::open(watch_->fd()) ? Status(Ok{}) : Status(Error(EBADF));
  }

  void on_ready(int) override {
    const Napi::HandleScope scope(env_);
    if (!can_run_javascript(env_)) return;
    auto kills = watch_->read();
    // The group is gone, or is going: there is nothing more to tell.
    if (!kills) return finish();
    call_back(env_, on_kill_, {Napi::Number::New(env_, static_cast<double>(*kills))});
  }

  void on_environment_end() override { on_kill_.Reset(); }

  void finish() {
    if (!watch_) return;
    Poll::close();
    watch_.reset();
    on_kill_.Reset();
    Unref();
  }

  Napi::Value close_watch(const Napi::CallbackInfo& info) {
    finish();
    return info.Env().Undefined();
  }

  Napi::Env env_;
  std::optional<OomWatch> watch_;
  Napi::FunctionReference on_kill_;
};

}  // namespace

void export_cgroup(Napi::Env env, Napi::Object exports) {
  exports.Set("OomWatcher", OomWatcher::define(env));
  exports.Set("CgroupParent", CgroupParent::define(env));
}

}  // namespace nsbox::addon
