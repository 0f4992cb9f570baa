#include "bindings/host/lists.h"

#include <cmath>

#include "bindings/boundary.h"
#include "bindings/host/charged.h"

namespace qspec::lua {
namespace {

// Moves of one item are about this much cheaper than an instruction.
constexpr double kMovesPerStep = 8;

double length_of(lua_State* L) {
  return lua_istable(L, 1) ? static_cast<double>(lua_objlen(L, 1)) : 0;
}

double walk_cost(lua_State* L) {
  return length_of(L) / kMovesPerStep;
}

double sort_cost(lua_State* L) {
  const double length = length_of(L);
  return length * std::log2(length + 2);
}

// An item put in or taken from within moves those behind it.
double shift_cost(lua_State* L, int position_at, int position_when) {
  if (lua_gettop(L) < position_when || lua_type(L, position_at) != LUA_TNUMBER) return 0;
  return std::fmax(length_of(L) - lua_tonumber(L, position_at), 0) / kMovesPerStep;
}

double insert_cost(lua_State* L) {
  return shift_cost(L, 2, 3);
}
double remove_cost(lua_State* L) {
  return shift_cost(L, 2, 2);
}

struct ChargedFunction {
  const char* name;
  Cost cost;
};

constexpr ChargedFunction kCharged[] = {{"concat", walk_cost},
                                        {"maxn", walk_cost},
                                        {"sort", sort_cost},
                                        {"insert", insert_cost},
                                        {"remove", remove_cost}};

}  // namespace

void open_lists(lua_State* L) {
  lua_getglobal(L, "table");
  for (const ChargedFunction& function : kCharged) {
    lua_getfield(L, -1, function.name);
    push_charged(L, "table", function.name, function.cost);
    lua_setfield(L, -2, function.name);
  }
  lua_pop(L, 1);
}

}  // namespace qspec::lua
