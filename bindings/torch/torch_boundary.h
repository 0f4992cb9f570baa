#pragma once

#include <c10/util/Exception.h>

#include <string>

#include "bindings/boundary.h"

namespace qspec::lua {

// What LibTorch threw, as an Error that names the running function and leaves the C++ backtrace
// out: kDevice when memory ran out, else kSpec, for the operands were the script's.
Error from_torch(lua_State* L, const c10::Error& error);

// "qspec.Tensor:add: " while that runs, to begin a message with; empty where no name is known.
std::string running_function(lua_State* L);

bool is_out_of_memory(const c10::Error& error);

// Runs `body` with LibTorch's exceptions as Errors. When memory runs out, tensors that Lua has
// dropped but not collected may hold it: they go, and `body` gets a second try.
template <lua_CFunction body>
int with_torch_errors(lua_State* L) {
  const int arguments = lua_gettop(L);
  try {
    return body(L);
  } catch (const c10::Error& error) {
    if (!is_out_of_memory(error)) throw from_torch(L, error);
  }
  lua_settop(L, arguments);
  lua_gc(L, LUA_GCCOLLECT, 0);
  try {
    return body(L);
  } catch (const c10::Error& error) {
    throw from_torch(L, error);
  }
}

// How every function of libqspec_torch.so is bound.
template <lua_CFunction body>
int torch_guard(lua_State* L) {
  return guard<with_torch_errors<body>>(L);
}

}  // namespace qspec::lua
