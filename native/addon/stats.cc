#include "addon/stats.h"

namespace nsbox::addon {
namespace {

void set_count(const Napi::Object& out, const char* name, const cgroup::Count& count) {
  if (count) out.Set(name, Napi::Number::New(out.Env(), static_cast<double>(*count)));
}

}  // namespace

Napi::Value stats_to_js(Napi::Env env, cgroup::Stats& stats) {
  const Napi::Object memory = Napi::Object::New(env);
  set_count(memory, "current", stats.memory.current);
  set_count(memory, "peak", stats.memory.peak);
  set_count(memory, "limit", stats.memory.limit);
  set_count(memory, "swap", stats.memory.swap_current);
  set_count(memory, "oomKills", stats.memory.oom_kills);
  set_count(memory, "limitHits", stats.memory.limit_hits);
  const Napi::Object cpu = Napi::Object::New(env);
  set_count(cpu, "usageNs", stats.cpu.usage_ns);
  set_count(cpu, "userNs", stats.cpu.user_ns);
  set_count(cpu, "systemNs", stats.cpu.system_ns);
  set_count(cpu, "throttledNs", stats.cpu.throttled_ns);
  const Napi::Object pids = Napi::Object::New(env);
  set_count(pids, "current", stats.pids.current);
  set_count(pids, "peak", stats.pids.peak);
  set_count(pids, "limit", stats.pids.limit);
  const Napi::Object out = Napi::Object::New(env);
  out.Set("memory", memory);
  out.Set("cpu", cpu);
  out.Set("pids", pids);
  return out;
}

}  // namespace nsbox::addon
