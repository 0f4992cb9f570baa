#pragma once

#include <cstddef>
#include <lua.hpp>
#include <string_view>

namespace qspec::lua {

// Bulk work that takes no Lua instructions is charged as if it took some.
inline constexpr double kBytesPerStep = 16;
void charge_bytes(lua_State* L, size_t bytes);

// Throws Error(kSpec) when a function would make a text of more than 64 MiB.
void refuse_long_text(double bytes);

// A text argument; a number counts as its text, as in Lua's own string functions.
std::string_view check_text(lua_State* L, int index);

// Wraps the function on the top, "module.name", so that each call first charges `cost` steps.
using Cost = double (*)(lua_State* L);
void push_charged(lua_State* L, const char* module, const char* name, Cost cost);

}  // namespace qspec::lua
