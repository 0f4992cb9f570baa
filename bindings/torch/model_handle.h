#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "bindings/boundary.h"
#include "engine/model/model.h"

namespace qspec::lua {

struct ModelHandle {
  static constexpr const char* kLuaName = "qspec.Model";
  std::shared_ptr<const Model> model;
};

const Model& model_at(lua_State* L, int index);

// A list of token ids.
std::vector<int64_t> ids_at(lua_State* L, int index);

// Whether the table holds lists.
bool is_nested(lua_State* L, int index);

// A list of ids, or a list of such lists.
std::vector<std::vector<int64_t>> sequences_at(lua_State* L, int index);

// Methods of qspec.Model that exchange modules between models; ends with {nullptr, nullptr}.
extern const luaL_Reg kModelExchange[];

}  // namespace qspec::lua
