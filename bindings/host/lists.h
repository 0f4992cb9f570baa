#pragma once

#include <lua.hpp>

namespace qspec::lua {

// Makes the functions of the table library charge for the work that they do on long tables.
void open_lists(lua_State* L);

}  // namespace qspec::lua
