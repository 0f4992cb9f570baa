#include "bindings/host/protected_call.h"

#include "bindings/boundary.h"
#include "bindings/host/confinement.h"
#include "bindings/host/shown.h"

namespace qspec::lua {
namespace {

// Raises the stop of a confined script again: whoever caught it must not go on.
void raise_stop(lua_State* L) {
  Confinement& confinement = Confinement::of(L);
  confinement.notice_refusal();
  if (confinement.is_stopped()) throw confinement.stop();
}

int results_of(lua_State* L, int status, int base) {
  if (status != 0) raise_stop(L);
  lua_pushboolean(L, status == 0);
  lua_insert(L, base);
  return lua_gettop(L) - base + 1;
}

// pcall(f, ...)
int call_protected(lua_State* L) {
  luaL_checkany(L, 1);
  return results_of(L, lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0), 1);
}

// xpcall(f, handler, ...)
int call_handled(lua_State* L) {
  luaL_checkany(L, 2);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_replace(L, 1);
  lua_replace(L, 2);
  return results_of(L, lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 1), 2);
}

int to_string(lua_State* L) {
  luaL_checkany(L, 1);
  push_shown(L, 1);
  return 1;
}

void set_global(lua_State* L, const char* name, lua_CFunction function) {
  lua_pushstring(L, name);
  lua_pushcclosure(L, function, 1);
  lua_setglobal(L, name);
}

}  // namespace

void open_protected_call(lua_State* L) {
  set_global(L, "pcall", translate<call_protected>);
  set_global(L, "xpcall", translate<call_handled>);
  set_global(L, "tostring", translate<to_string>);
}

}  // namespace qspec::lua
