#include <napi.h>

#include <cerrno>
#include <string>

#include "addon/convert.h"
#include "addon/env_fd.h"
#include "addon/exports.h"
#include "addon/pool.h"
#include "addon/stats.h"
#include "core/base/json.h"
#include "core/container/delete.h"
#include "core/container/kill.h"
#include "core/container/pause.h"
#include "core/container/processes.h"
#include "core/container/start.h"
#include "core/container/update.h"
#include "core/spec/resources.h"
#include "core/sys/syscalls.h"

// OCI containers, as nsbox-runtime makes them: what needs no clone, by the very functions that its verbs
// call. Hooks are processes: a container with hooks to run is left to the executable.
namespace nsbox::addon {
namespace {

// One container on the pool: where its state lies, and its id.
struct Place {
  std::string root;
  std::string id;

  static Place of(const Napi::CallbackInfo& info) { return {text_of(info[0]), text_of(info[1])}; }
  Result<StateDirectory> open() const { return StateDirectory::open(root, id); }
};

// defaultStateRoot(XDG_RUNTIME_DIR)
Napi::Value default_state_root(const Napi::CallbackInfo& info) {
  auto root = default_root(text_of(info[0]));
  if (!root) return throw_js(info.Env(), root.error());
  return to_js(info.Env(), root->view());
}

// ociIds(root)
Napi::Value ids(const Napi::CallbackInfo& info) {
  return queue(
      info.Env(), [root = text_of(info[0])] { return list_ids(root); },
      [](Napi::Env env, Vector<String>& all) -> Napi::Value {
        const Napi::Array out = Napi::Array::New(env, all.size());
        for (uint32_t i = 0; i < all.size(); i++) out.Set(i, to_js(env, all[i].view()));
        return out;
      });
}

// ociState(root, id): JSON.
Napi::Value state(const Napi::CallbackInfo& info) {
  return queue(
      info.Env(),
      [place = Place::of(info)]() -> Result<String> {
        const StateDirectory directory = TRY(place.open());
        const State found = TRY(directory.read());
        const ContainerStatus status = TRY(current_status(directory, found));
        return public_state(found, status, StateFields::kVerbose, {}, format(found.owner));
      },
      [](Napi::Env env, String& text) -> Napi::Value { return to_js(env, text.view()); });
}

// ociCreator(root, id): the pid of the process that made it.
Napi::Value creator(const Napi::CallbackInfo& info) {
  return queue(
      info.Env(),
      [place = Place::of(info)]() -> Result<pid_t> {
        const StateDirectory directory = TRY(place.open());
        return TRY(directory.read()).creator.pid;
      },
      [](Napi::Env env, pid_t& pid) -> Napi::Value { return Napi::Number::New(env, pid); });
}

Napi::Value as_boolean(Napi::Env env, bool& value) { return Napi::Boolean::New(env, value); }

// ociStart(root, id): false when it has poststart hooks, and nothing was done.
Napi::Value start(const Napi::CallbackInfo& info) {
  return queue(
      info.Env(),
      [place = Place::of(info)]() -> Result<bool> {
        const StateDirectory directory = TRY(place.open());
        if (TRY(directory.read()).has_poststart) return false;
        TRY(start_container(directory, {}));
        return true;
      },
      as_boolean);
}

// ociKill(root, id, signal, all)
Napi::Value kill(const Napi::CallbackInfo& info) {
  const KillScope scope = info[3].ToBoolean() ? KillScope::kAll : KillScope::kInit;
  return queue_status(info.Env(), [place = Place::of(info), signal = int_of(info[2]), scope]() -> Status {
    const StateDirectory directory = TRY(place.open());
    return kill_container(directory, TRY(directory.read()), signal, scope);
  });
}

// ociPause(root, id), ociResume(root, id)
Napi::Value pause(const Napi::CallbackInfo& info) {
  return queue_status(info.Env(),
                      [place = Place::of(info)]() -> Status { return pause_container(TRY(place.open())); });
}
Napi::Value resume(const Napi::CallbackInfo& info) {
  return queue_status(info.Env(),
                      [place = Place::of(info)]() -> Status { return resume_container(TRY(place.open())); });
}

// ociUpdate(root, id, linux.resources as JSON, DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR)
Napi::Value update(const Napi::CallbackInfo& info) {
  return queue_status(info.Env(),
                      [place = Place::of(info), text = text_of(info[2]), bus = text_of(info[3]),
                       runtime = text_of(info[4])]() -> Status {
                        const StateDirectory directory = TRY(place.open());
                        Arena arena;
                        const json::Value document = TRY(json::parse(text, arena));
                        UpdateRequest request;
                        request.limits = TRY(parse_resources(document));
                        request.environment = {bus, runtime};
                        return update_container(directory, std::move(request));
                      });
}

// ociDelete(root, id, force, DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR): false when it has poststop hooks,
// and nothing was done.
Napi::Value remove(const Napi::CallbackInfo& info) {
  const DeleteMode mode = info[2].ToBoolean() ? DeleteMode::kForce : DeleteMode::kStoppedOnly;
  return queue(
      info.Env(),
      [place = Place::of(info), mode, bus = text_of(info[3]), runtime = text_of(info[4])]() -> Result<bool> {
        const StateDirectory directory = TRY(place.open());
        if (auto found = directory.read(); found && found->has_poststop) return false;
        Vector<String> warnings;
        TRY(delete_container(directory, {.mode = mode, .hook_output = {}, .environment = {bus, runtime}},
                             warnings));
        return true;
      },
      as_boolean);
}

// ociProcesses(root, id): pids of this machine.
Napi::Value processes(const Napi::CallbackInfo& info) {
  return queue(
      info.Env(),
      [place = Place::of(info)]() -> Result<Vector<pid_t>> {
        const StateDirectory directory = TRY(place.open());
        return container_processes(directory, TRY(directory.read()));
      },
      [](Napi::Env env, Vector<pid_t>& all) -> Napi::Value {
        const Napi::Array out = Napi::Array::New(env, all.size());
        for (uint32_t i = 0; i < all.size(); i++) out.Set(i, Napi::Number::New(env, all[i]));
        return out;
      });
}

// ociStats(root, id)
Napi::Value stats(const Napi::CallbackInfo& info) {
  return queue(
      info.Env(),
      [place = Place::of(info)]() -> Result<cgroup::Stats> {
        const StateDirectory directory = TRY(place.open());
        const State found = TRY(directory.read());
        if (!is_alive(found.init)) return Error::plain(ESRCH, "container not running");
        return cgroup::read_stats(TRY(open_groups(found)));
      },
      stats_to_js);
}

// ociOpenInit(root, id): a pidfd of its first process; -1 when that has ended.
Napi::Value open_init(const Napi::CallbackInfo& info) {
  return queue(
      info.Env(),
      [place = Place::of(info)]() -> Result<UniqueFd> {
        const StateDirectory directory = TRY(place.open());
        const State found = TRY(directory.read());
        auto pidfd = sys::pidfd_open(found.init.pid, 0);
        // Looked at behind the opening: it is this process, or there is none any more.
        if (!pidfd || !is_alive(found.init)) return UniqueFd();
        return std::move(*pidfd);
      },
      [](Napi::Env env, UniqueFd& pidfd) -> Napi::Value {
        if (!pidfd) return Napi::Number::New(env, -1);
        close_with_environment(env, pidfd.get());
        return Napi::Number::New(env, pidfd.release());
      });
}

}  // namespace

void export_oci(Napi::Env env, Napi::Object exports) {
  exports.Set("defaultStateRoot", Napi::Function::New(env, default_state_root));
  exports.Set("ociIds", Napi::Function::New(env, ids));
  exports.Set("ociState", Napi::Function::New(env, state));
  exports.Set("ociCreator", Napi::Function::New(env, creator));
  exports.Set("ociStart", Napi::Function::New(env, start));
  exports.Set("ociKill", Napi::Function::New(env, kill));
  exports.Set("ociPause", Napi::Function::New(env, pause));
  exports.Set("ociResume", Napi::Function::New(env, resume));
  exports.Set("ociUpdate", Napi::Function::New(env, update));
  exports.Set("ociProcesses", Napi::Function::New(env, processes));
  exports.Set("ociDelete", Napi::Function::New(env, remove));
  exports.Set("ociStats", Napi::Function::New(env, stats));
  exports.Set("ociOpenInit", Napi::Function::New(env, open_init));
}

}  // namespace nsbox::addon
