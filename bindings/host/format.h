#pragma once

#include <lua.hpp>

namespace qspec::lua {

// Replaces the string.format on the top by one that shows no addresses: "%s" of a table or function
// writes what tostring does, and "%p" is refused.
void push_format(lua_State* L);

}  // namespace qspec::lua
