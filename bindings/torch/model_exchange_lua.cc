// Methods of qspec.Model over two models of one program. See stdlib/qspec/meta/model.lua.

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bindings/boundary.h"
#include "bindings/torch/model_handle.h"
#include "bindings/torch/torch_boundary.h"
#include "engine/model/module_errors.h"

namespace qspec::lua {
namespace {

std::set<std::string> names_at(lua_State* L, int index) {
  check_table(L, index);
  std::set<std::string> names;
  const auto count = static_cast<int>(lua_objlen(L, index));
  for (int i = 1; i <= count; ++i) {
    lua_rawgeti(L, index, i);
    names.emplace(check_string(L, lua_gettop(L)));
    lua_pop(L, 1);
  }
  return names;
}

void push_names(lua_State* L, const std::vector<std::string>& names) {
  lua_createtable(L, static_cast<int>(names.size()), 0);
  for (size_t i = 0; i < names.size(); ++i) {
    push(L, names[i]);
    lua_rawseti(L, -2, static_cast<int>(i + 1));
  }
}

void push_model(lua_State* L, Model model) {
  push_handle(L, ModelHandle{std::make_shared<const Model>(std::move(model))});
}

// model:with(other, names)
int with(lua_State* L) {
  push_model(L, model_at(L, 1).with(model_at(L, 2), names_at(L, 3)));
  return 1;
}

// model:remembering(bytes)
int remembering(lua_State* L) {
  push_model(L, model_at(L, 1).remembering(check_integer(L, 2)));
  return 1;
}

int module_groups(lua_State* L) {
  const std::vector<std::vector<std::string>> groups = model_at(L, 1).module_groups();
  lua_createtable(L, static_cast<int>(groups.size()), 0);
  for (size_t i = 0; i < groups.size(); ++i) {
    push_names(L, groups[i]);
    lua_rawseti(L, -2, static_cast<int>(i + 1));
  }
  return 1;
}

void push_error(lua_State* L, const ModuleError& error) {
  lua_createtable(L, 0, 4);
  push_names(L, error.modules);
  lua_setfield(L, -2, "modules");
  lua_pushnumber(L, error.added_db);
  lua_setfield(L, -2, "added_db");
  lua_pushnumber(L, error.inherited_db);
  lua_setfield(L, -2, "inherited_db");
  lua_pushnumber(L, error.total_db);
  lua_setfield(L, -2, "total_db");
}

// model:module_errors(baseline, ids, source)
int errors(lua_State* L) {
  const Model &model = model_at(L, 1), &baseline = model_at(L, 2);
  const TokenBatch batch = make_batch(sequences_at(L, 3), model.vocab_size());
  std::optional<TokenBatch> sources;
  if (!is_absent(L, 4)) sources = make_batch(sequences_at(L, 4), model.vocab_size());
  const std::vector<ModuleError> found = module_errors(model, baseline, batch, sources);
  lua_createtable(L, static_cast<int>(found.size()), 0);
  for (size_t i = 0; i < found.size(); ++i) {
    push_error(L, found[i]);
    lua_rawseti(L, -2, static_cast<int>(i + 1));
  }
  return 1;
}

}  // namespace

const luaL_Reg kModelExchange[] = {{"module_errors", torch_guard<errors>},
                                   {"module_groups", torch_guard<module_groups>},
                                   {"remembering", torch_guard<remembering>},
                                   {"with", torch_guard<with>},
                                   {nullptr, nullptr}};

}  // namespace qspec::lua
