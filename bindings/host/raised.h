#pragma once

#include <lua.hpp>

namespace qspec::lua {

// A message handler: Lua cuts long file names in front of a message ("...ng/name.lua:3:"); this
// puts the whole name there. Other values stay as they are. Not to be translated (boundary.h): it
// also runs where no more calls may be nested.
int place_error(lua_State* L);

// Cuts an error text on the top that is longer than kLongestError.
void shorten_error(lua_State* L);

inline constexpr size_t kLongestError = 4096;

}  // namespace qspec::lua
