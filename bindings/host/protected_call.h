#pragma once

#include <lua.hpp>

namespace qspec::lua {

// pcall, xpcall and tostring as globals. The calls do not catch the stop of a confined script
// (confinement.h); tostring shows no addresses.
void open_protected_call(lua_State* L);

}  // namespace qspec::lua
