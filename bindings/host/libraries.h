#pragma once

#include <lua.hpp>

namespace qspec::lua {

// Fills the globals with what trusted Lua may use: Lua's own libraries without io, os, ffi, jit,
// compilers of text and everything that reads or runs a file; string functions that are bounded
// (strings.h); a require that finds text modules only.
void open_libraries(lua_State* L);

// Puts a module into package.preload.
void preload_module(lua_State* L, const char* name, lua_CFunction open);

}  // namespace qspec::lua
