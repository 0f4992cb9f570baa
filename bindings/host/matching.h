#pragma once

#include <lua.hpp>

namespace qspec::lua {

// string.find, match, gmatch and gsub over Pattern. Bodies to be translated (boundary.h).
int find_pattern(lua_State* L);
int match_pattern(lua_State* L);
int each_match(lua_State* L);
int replace_matches(lua_State* L);

}  // namespace qspec::lua
