#include "bindings/host/host.h"

#include <cstdio>
#include <utility>

#include "bindings/boundary.h"
#include "bindings/host/libraries.h"
#include "bindings/host/modules.h"
#include "bindings/host/shown.h"
#include "bindings/host/torch_loader.h"
#include "bindings/value.h"

namespace qspec::lua {
namespace {

struct Module {
  const char* name;
  lua_CFunction open;
};

constexpr Module kModules[] = {{"host.system", luaopen_host_system},
                           {"host.json", luaopen_host_json},
                           {"host.checkpoint", luaopen_host_checkpoint},
                           {"host.sandbox", luaopen_host_sandbox},
                           {"host.text", luaopen_host_text},
                           {"host.tensor", open_torch_tensor},
                           {"host.model", open_torch_model}};

int set_up(lua_State* L) {
  luaJIT_setmode(L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
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

// Calls main with the words in the vector that the argument points at.
int call_main(lua_State* L) {
  const auto& words = *static_cast<const std::vector<std::string>*>(lua_touserdata(L, 1));
  lua_getglobal(L, "require");
  lua_pushliteral(L, "qspec.main");
  lua_call(L, 1, 1);
  lua_createtable(L, static_cast<int>(words.size()), 0);
  for (size_t i = 0; i < words.size(); ++i) {
    push(L, words[i]);
    lua_rawseti(L, -2, static_cast<int>(i) + 1);
  }
  lua_call(L, 1, 1);
  return 1;
}

}  // namespace

Host::Host(Installation installation, lua_Alloc allocate) : installation_(std::move(installation)) {
  L_ = lua_newstate(allocate, this);
  if (L_ == nullptr) throw Error(ErrorKind::kDevice, "out of memory");
  if (lua_cpcall(L_, translate<set_up>, nullptr) == 0) return;
  const char* text = lua_tostring(L_, -1);
  const std::string message = text == nullptr ? "the Lua state cannot be set up" : text;
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
  lua_pushcfunction(L_, translate<add_trace>);
  lua_pushcfunction(L_, translate<call_main>);
  lua_pushlightuserdata(L_, const_cast<std::vector<std::string>*>(&words));
  const int status = lua_pcall(L_, 1, 1, -3);
  const bool has_code = status == 0 && lua_type(L_, -1) == LUA_TNUMBER;
  const int code = has_code ? static_cast<int>(lua_tointeger(L_, -1)) : kExitInternal;
  if (status != 0) {
    const char* text = lua_tostring(L_, -1);
    std::fprintf(stderr, "qspec: fault: %s\n", text == nullptr ? "an error without text" : text);
  }
  lua_pop(L_, 2);
  return code;
}

}  // namespace qspec::lua
