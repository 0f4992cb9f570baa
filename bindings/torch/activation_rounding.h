#pragma once

#include <lua.hpp>

#include <string>

#include "engine/model/weights.h"

namespace qspec::lua {

// The table on top of the stack, {codes=, per=, scales=, bits=, symmetric=, group_size=, scale=,
// zero_point=, global_scale=}, as stdlib/qspec/meta/model.lua documents it. `module` is for errors.
ActivationRounding rounding_at_top(lua_State* L, const std::string& module);

}  // namespace qspec::lua
