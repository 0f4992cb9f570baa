#include "bindings/host/shown.h"

#include "engine/core/error.h"

namespace qspec::lua {

void push_shown(lua_State* L, int index) {
  if (luaL_callmeta(L, index, "__tostring")) {
    if (lua_type(L, -1) == LUA_TSTRING) return;
    throw Error(ErrorKind::kSpec, "__tostring gave no text");
  }
  switch (lua_type(L, index)) {
    case LUA_TNUMBER:
    case LUA_TSTRING:
      lua_pushvalue(L, index);
      lua_tolstring(L, -1, nullptr);
      return;
    case LUA_TBOOLEAN:
      lua_pushstring(L, lua_toboolean(L, index) ? "true" : "false");
      return;
    default:
      lua_pushstring(L, luaL_typename(L, index));
  }
}

void replace_by_shown(lua_State* L, int index) {
  push_shown(L, index);
  lua_replace(L, index);
}

}  // namespace qspec::lua
