#include "bindings/host/host.h"

#include <cstdio>
#include <utility>

#include "bindings/boundary.h"
#include "bindings/host/libraries.h"
#include "bindings/host/modules.h"
#include "bindings/host/own_library.h"
#include "bindings/host/shown.h"
#include "bindings/host/torch_loader.h"
#include "bindings/value.h"

namespace qspec::lua {
namespace {

// The collector rests until the heap is this many percent of what was alive. A run lives a few
// milliseconds on a few megabytes; tensors are freed by scope and budget, not by the collector.
constexpr int kCollectorPause = 1000;

struct Module {
  const char* name;
  lua_CFunction open;
};

constexpr Module kModules[] = {{"host.system", luaopen_host_system},
                               {"host.json", luaopen_host_json},
                               {"host.checkpoint", luaopen_host_checkpoint},
                               {"host.sandbox", luaopen_host_sandbox},
                               {"host.text", open_text},
                               {"host.tensor", open_torch_tensor},
                               {"host.model", open_torch_model},
                               {"host.cuda", open_torch_cuda},
                               {"host.gpu", luaopen_host_gpu}};

int set_up(lua_State* L) {
  luaJIT_setmode(L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
  lua_gc(L, LUA_GCSETPAUSE, kCollectorPause);
  open_libraries(L);
  register_json_values(L);
  for (const Module& module : kModules) preload_module(L, module.name, module.open);
  return 0;
}

// The error on the stack as text, with the trace of where it was raised.
int add_trace(lua_State* L) {
  push_shown(L, 1);
  lua_getglobal(L, "debug");
  lua_getfield(L, -1, "traceback");
  lua_pushvalue(L, -3);
  lua_pushinteger(L, 2);
  lua_call(L, 2, 1);
  return 1;
}

struct MainCall {
  const std::vector<std::string>& words;
  int code = Host::kExitInternal;
};

// Calls main with the words of the MainCall that the argument points at.
int call_main(lua_State* L) {
  auto& call = *static_cast<MainCall*>(lua_touserdata(L, 1));
  lua_getglobal(L, "require");
  lua_pushliteral(L, "qspec.main");
  lua_call(L, 1, 1);
  lua_createtable(L, static_cast<int>(call.words.size()), 0);
  for (size_t i = 0; i < call.words.size(); ++i) {
    push(L, call.words[i]);
    lua_rawseti(L, -2, static_cast<int>(i) + 1);
  }
  lua_call(L, 1, 1);
  if (lua_type(L, -1) == LUA_TNUMBER) call.code = static_cast<int>(lua_tointeger(L, -1));
  return 0;
}

// call_main with a trace of its error.
int call_main_traced(lua_State* L) {
  lua_pushcfunction(L, translate<add_trace>);
  lua_pushcfunction(L, translate<call_main>);
  lua_pushvalue(L, 1);
  return lua_pcall(L, 1, 0, 2) == 0 ? 0 : lua_error(L);
}

}  // namespace

Host::Host(Installation installation, lua_Alloc allocate) : installation_(std::move(installation)) {
  L_ = lua_newstate(allocate, this);
  if (L_ == nullptr) throw Error(ErrorKind::kDevice, "out of memory");
  if (lua_cpcall(L_, translate<set_up>, nullptr) == 0) return;
  const bool has_text = lua_type(L_, -1) == LUA_TSTRING;
  const std::string message = has_text ? lua_tostring(L_, -1) : "the Lua state cannot be set up";
  lua_close(L_);
  throw Error(ErrorKind::kInternal, message);
}

Host::~Host() {
  lua_close(L_);
}

Host& Host::of(lua_State* L) {
  void* host = nullptr;
  lua_getallocf(L, &host);
  return *static_cast<Host*>(host);
}

void* Host::allocate(void* host, void* block, size_t old_size, size_t new_size) {
  return static_cast<Host*>(host)->memory_.allocate(block, old_size, new_size);
}

int Host::run(const std::vector<std::string>& words) {
  MainCall call{words};
  if (lua_cpcall(L_, translate<call_main_traced>, &call) == 0) return call.code;
  const bool has_text = lua_type(L_, -1) == LUA_TSTRING;
  std::fprintf(stderr, "qspec: fault: %s\n", has_text ? lua_tostring(L_, -1) : "no text");
  lua_pop(L_, 1);
  return kExitInternal;
}

}  // namespace qspec::lua
