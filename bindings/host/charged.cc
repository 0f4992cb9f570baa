#include "bindings/host/charged.h"

#include <string>

#include "bindings/boundary.h"
#include "bindings/host/confinement.h"

namespace qspec::lua {
namespace {

constexpr double kMaxTextBytes = 64u << 20;

// Upvalues: name, the function, its cost as a light userdata.
int call_charged(lua_State* L) {
  const auto cost = reinterpret_cast<Cost>(lua_touserdata(L, lua_upvalueindex(3)));
  Confinement::of(L).charge(L, cost(L));
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

}  // namespace

void charge_bytes(lua_State* L, size_t bytes) {
  Confinement::of(L).charge(L, static_cast<double>(bytes) / kBytesPerStep);
}

void refuse_long_text(double bytes) {
  if (bytes <= kMaxTextBytes) return;
  throw Error(ErrorKind::kSpec, "the text would be longer than 64 MiB");
}

std::string_view check_text(lua_State* L, int index) {
  if (lua_type(L, index) != LUA_TNUMBER) return check_string(L, index);
  size_t length = 0;
  const char* text = lua_tolstring(L, index, &length);
  return {text, length};
}

void push_charged(lua_State* L, const char* module, const char* name, Cost cost) {
  push(L, std::string(module) + "." + name);
  lua_insert(L, -2);
  lua_pushlightuserdata(L, reinterpret_cast<void*>(cost));
  lua_pushcclosure(L, translate<call_charged>, 3);
}

}  // namespace qspec::lua
