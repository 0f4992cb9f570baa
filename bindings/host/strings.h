#pragma once

#include <lua.hpp>

namespace qspec::lua {

// Replaces the functions of the string library by bounded ones and drops string.dump. Methods of
// texts ("x"):rep(3) are a table that nothing else holds, so that nobody can change them.
void open_strings(lua_State* L);

}  // namespace qspec::lua
