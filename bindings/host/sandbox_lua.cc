// host.sandbox: what specs of others run in.

#include <string>

#include "bindings/boundary.h"
#include "bindings/host/chunk.h"
#include "bindings/host/confinement.h"
#include "bindings/host/environment.h"
#include "bindings/host/locked_object.h"
#include "bindings/host/modules.h"
#include "bindings/host/raised.h"

namespace qspec::lua {
namespace {

// sandbox.environment([{print = function(text)}]) -> table
int environment(lua_State* L) {
  int print = 0;
  if (!is_absent(L, 1)) {
    check_table(L, 1);
    lua_getfield(L, 1, "print");
    print = lua_isnil(L, -1) ? 0 : lua_gettop(L);
  }
  push_environment(L, print);
  return 1;
}

// sandbox.load(text, name, environment) -> function, or nil, message
int load(lua_State* L) {
  const std::string_view text = check_string(L, 1);
  const std::string name(check_string(L, 2));
  check_table(L, 3);
  try {
    load_chunk(L, text, name);
  } catch (const Error& error) {
    lua_pushnil(L);
    push(L, error.where() + ": " + error.message());
    return 2;
  }
  lua_pushvalue(L, 3);
  lua_setfenv(L, -2);
  return 1;
}

double check_limit(lua_State* L, const char* name) {
  lua_getfield(L, 1, name);
  const double limit = lua_isnumber(L, -1) ? lua_tonumber(L, -1) : 0;
  lua_pop(L, 1);
  if (!(limit > 0)) {
    throw Error(ErrorKind::kSpec, std::string("the limit '") + name + "' is not above 0");
  }
  return limit;
}

// sandbox.call({steps=, seconds=, bytes=}, f, ...) -> true, results... or false, error
int call(lua_State* L) {
  check_table(L, 1);
  const Limits limits = {check_limit(L, "steps"), check_limit(L, "seconds"),
                         check_limit(L, "bytes")};
  luaL_checkany(L, 2);
  Confinement& confinement = Confinement::of(L);
  lua_pushcfunction(L, place_error);
  lua_replace(L, 1);
  const Confinement::Call confined(confinement, L, limits);
  const int status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 1);
  confinement.notice_refusal();
  if (confinement.is_stopped()) {
    const Error stop = confinement.stop();
    lua_settop(L, 0);
    lua_gc(L, LUA_GCCOLLECT, 0);  // what the call left behind may leave no room for the message
    if (!confined.was_stopped()) throw stop;
    lua_pushboolean(L, 0);
    push_error(L, stop);
    return 2;
  }
  if (status != 0) shorten_error(L);
  lua_pushboolean(L, status == 0);
  lua_replace(L, 1);
  return lua_gettop(L);
}

// sandbox.object(methods, state [, metamethods]) -> object
int object(lua_State* L) {
  check_table(L, 1);
  check_table(L, 2);
  if (!is_absent(L, 3)) check_table(L, 3);
  lua_settop(L, 3);
  push_locked_object(L);
  return 1;
}

// sandbox.state(object) -> its state; nil for anything else
int state(lua_State* L) {
  luaL_checkany(L, 1);
  push_object_state(L, 1);
  return 1;
}

constexpr luaL_Reg kFunctions[] = {
    {"environment", guard<environment>}, {"load", guard<load>},   {"call", translate<call>},
    {"object", guard<object>},           {"state", guard<state>}, {nullptr, nullptr}};

}  // namespace
}  // namespace qspec::lua

int luaopen_host_sandbox(lua_State* L) {
  qspec::lua::push_functions(L, "sandbox", qspec::lua::kFunctions);
  return 1;
}
