#pragma once

#include <lua.hpp>

namespace qspec::lua {

// Pushes "path:line" of the spec's innermost running function; "" when no spec is running.
void push_running_line(lua_State* L);

// A message handler that completes the places of errors. An error table without one gets the line
// of the spec. Lua cuts long file names in front of a text ("...ng/name.lua:3:"): the whole name is
// put there. Not to be translated (boundary.h): it also runs where no more calls may be nested.
int place_error(lua_State* L);

// Cuts an error text on the top that is longer than kLongestError.
void shorten_error(lua_State* L);

inline constexpr size_t kLongestError = 4096;

}  // namespace qspec::lua
