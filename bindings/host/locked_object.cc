#include "bindings/host/locked_object.h"

#include <algorithm>
#include <string>

#include "bindings/boundary.h"

namespace qspec::lua {
namespace {

constexpr const char* kMetatables = "qspec.locked.metatables";  // methods -> metatable, and back
constexpr const char* kStateField = "state";                    // in the object's environment

constexpr std::string_view kAllowed[] = {"__tostring", "__eq",  "__len", "__call",
                                         "__lt",       "__le",  "__add", "__sub",
                                         "__mul",      "__div", "__unm", "__concat"};

// Pushes the table that knows every metatable made here; weak, so that classes can go.
void push_metatables(lua_State* L) {
  if (luaL_newmetatable(L, kMetatables)) {
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_pushvalue(L, -1);
    lua_setmetatable(L, -2);
  }
}

void copy_metamethods(lua_State* L, int metamethods, int metatable) {
  for (lua_pushnil(L); lua_next(L, metamethods) != 0;) {
    const std::string_view name = check_string(L, -2);
    if (std::find(std::begin(kAllowed), std::end(kAllowed), name) == std::end(kAllowed)) {
      throw Error(ErrorKind::kSpec, "'" + printable(name) + "' is no metamethod of an object");
    }
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, metatable);
  }
}

// Pushes the metatable for the methods (1) and metamethods (3), made at their first use.
void push_metatable(lua_State* L) {
  push_metatables(L);
  lua_pushvalue(L, 1);
  lua_rawget(L, -2);
  if (lua_istable(L, -1)) {
    lua_remove(L, -2);
    return;
  }
  lua_pop(L, 1);
  const int metatables = lua_gettop(L);
  lua_newtable(L);
  if (lua_istable(L, 3)) copy_metamethods(L, 3, metatables + 1);
  lua_pushvalue(L, 1);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pushvalue(L, 1);
  lua_pushvalue(L, -2);
  lua_rawset(L, metatables);
  lua_pushvalue(L, -1);
  lua_pushboolean(L, 1);
  lua_rawset(L, metatables);
  lua_remove(L, metatables);
}

}  // namespace

void push_locked_object(lua_State* L) {
  push_metatable(L);
  lua_newuserdata(L, 0);
  lua_createtable(L, 0, 1);
  lua_pushvalue(L, 2);
  lua_setfield(L, -2, kStateField);
  lua_setfenv(L, -2);
  lua_insert(L, -2);
  lua_setmetatable(L, -2);
}

void push_object_state(lua_State* L, int index) {
  const bool is_userdata = lua_type(L, index) == LUA_TUSERDATA;
  lua_pushvalue(L, index);
  if (!is_userdata || lua_getmetatable(L, -1) == 0) {
    lua_pop(L, 1);
    lua_pushnil(L);
    return;
  }
  push_metatables(L);
  lua_insert(L, -2);
  lua_rawget(L, -2);
  const bool ours = lua_toboolean(L, -1) != 0;
  lua_pop(L, 2);
  if (!ours) {  // its environment may be the globals, where an unknown name is an error
    lua_pop(L, 1);
    lua_pushnil(L);
    return;
  }
  lua_getfenv(L, -1);
  lua_getfield(L, -1, kStateField);
  lua_replace(L, -3);
  lua_pop(L, 1);
}

}  // namespace qspec::lua
