#pragma once

#include <lua.hpp>

namespace qspec::lua {

// The methods of qspec.Tensor, one file a concept. Each list ends with {nullptr, nullptr}.
extern const luaL_Reg kTensorValues[];
extern const luaL_Reg kTensorValueMetamethods[];
extern const luaL_Reg kTensorArithmetic[];
extern const luaL_Reg kTensorArithmeticMetamethods[];
extern const luaL_Reg kTensorShapes[];
extern const luaL_Reg kTensorReductions[];

// The functions of host.tensor.
extern const luaL_Reg kTensorMakers[];
extern const luaL_Reg kTensorQuantizers[];
extern const luaL_Reg kTensorRepackers[];
extern const luaL_Reg kPackedMakers[];
extern const luaL_Reg kCodedMakers[];
extern const luaL_Reg kGgmlMakers[];
extern const luaL_Reg kVectorMakers[];

// Registers qspec.Packed.
void register_packed(lua_State* L);

}  // namespace qspec::lua
