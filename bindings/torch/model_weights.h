#pragma once

#include <lua.hpp>

#include "engine/model/weights.h"

namespace qspec::lua {

// The table at `index`, {[module name] = {weight=, bias=, compute_dtype=, int8=,
// input=}}, as stdlib/qspec/meta/model.lua documents it.
Weights weights_at(lua_State* L, int index);

}  // namespace qspec::lua
