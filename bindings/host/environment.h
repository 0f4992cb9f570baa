#pragma once

#include <lua.hpp>

namespace qspec::lua {

// Pushes a fresh table of all that a spec may use: an allow-list, copied, so that what one spec
// changes no other sees. For `print_to` see print.h.
void push_environment(lua_State* L, int print_to);

}  // namespace qspec::lua
