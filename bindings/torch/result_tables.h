#pragma once

#include <ATen/core/Tensor.h>

#include <lua.hpp>

#include "engine/tensor/compare.h"
#include "engine/tensor/packed.h"
#include "engine/tensor/statistics.h"

namespace qspec::lua {

// Results of the engine as Lua tables; stdlib/qspec/meta/tensor.lua lists their fields. Positions
// count from 1.
void push_sizes(lua_State* L, at::IntArrayRef sizes);
void push_comparison(lua_State* L, const Comparison& comparison);
void push_statistics(lua_State* L, const Statistics& statistics);
void push_code_statistics(lua_State* L, const CodeStatistics& statistics);

}  // namespace qspec::lua
