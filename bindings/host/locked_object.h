#pragma once

#include <lua.hpp>

namespace qspec::lua {

// Objects of classes written in Lua, for scripts that are not trusted: a userdata whose methods
// cannot be replaced and whose state cannot be reached.

// Pushes an object. On the stack, and left there: methods (1), state (2), metamethods or nil (3),
// all tables. Metamethods that would undo the lock (__index, __metatable, __gc ...) are refused
// with Error(kSpec).
void push_locked_object(lua_State* L);

// Pushes the state of the object at `index`, nil when it is none.
void push_object_state(lua_State* L, int index);

}  // namespace qspec::lua
