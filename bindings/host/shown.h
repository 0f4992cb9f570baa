#pragma once

#include <lua.hpp>

namespace qspec::lua {

// Pushes the value at `index` as text for a person: what its __tostring says, a number or text
// itself, else the name of its type: an address would differ in each run and help an attacker.
void push_shown(lua_State* L, int index);

// The same in place; `index` is positive.
void replace_by_shown(lua_State* L, int index);

}  // namespace qspec::lua
