#pragma once

#include <lua.hpp>

namespace qspec::lua {

// Sets the global print of trusted scripts: to standard output, unbuffered, failures raised.
void open_print(lua_State* L);

// Pushes the print of a spec, which calls the function at stack index `print_to` with each text, or
// writes to standard error when that is 0. Control characters become "?"; a spec that prints more
// than kMostPrintedBytes in all is stopped with Error(kSpec).
void push_confined_print(lua_State* L, int print_to);

inline constexpr double kMostPrintedBytes = 1u << 20;

}  // namespace qspec::lua
