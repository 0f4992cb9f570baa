#include "bindings/torch/model_handle.h"

namespace qspec::lua {

const Model& model_at(lua_State* L, int index) {
  return *check_handle<ModelHandle>(L, index).model;
}

std::vector<int64_t> ids_at(lua_State* L, int index) {
  check_table(L, index);
  std::vector<int64_t> ids;
  const auto count = static_cast<int>(lua_objlen(L, index));
  for (int i = 1; i <= count; ++i) {
    lua_rawgeti(L, index, i);
    ids.push_back(check_integer(L, lua_gettop(L)));
    lua_pop(L, 1);
  }
  return ids;
}

bool is_nested(lua_State* L, int index) {
  check_table(L, index);
  lua_rawgeti(L, index, 1);
  const bool nested = lua_istable(L, -1);
  lua_pop(L, 1);
  return nested;
}

std::vector<std::vector<int64_t>> sequences_at(lua_State* L, int index) {
  if (!is_nested(L, index)) return {ids_at(L, index)};
  std::vector<std::vector<int64_t>> sequences;
  const auto count = static_cast<int>(lua_objlen(L, index));
  for (int i = 1; i <= count; ++i) {
    lua_rawgeti(L, index, i);
    sequences.push_back(ids_at(L, lua_gettop(L)));
    lua_pop(L, 1);
  }
  return sequences;
}

}  // namespace qspec::lua
