#include "bindings/boundary.h"

#include <cmath>
#include <ctime>

namespace qspec::lua {
namespace {

constexpr double kLargestExact = 9007199254740992.0;  // 2^53

int nested_calls = 0;

void set_field(lua_State* L, const char* key, std::string_view text) {
  push(L, text);
  lua_setfield(L, -2, key);
}

int error_to_string(lua_State* L) {
  lua_getfield(L, 1, "message");
  lua_getfield(L, 1, "where");
  if (lua_objlen(L, -1) > 0) {
    lua_pushliteral(L, " (");
    lua_insert(L, -2);
    lua_pushliteral(L, ")");
    lua_concat(L, 4);
  } else {
    lua_pop(L, 1);
  }
  return 1;
}

// The name that push_functions gave the running function, else what the caller called it.
std::string_view function_name(lua_State* L) {
  if (lua_type(L, lua_upvalueindex(1)) == LUA_TSTRING) return lua_tostring(L, lua_upvalueindex(1));
  lua_Debug info;
  if (lua_getstack(L, 0, &info) == 0) return "?";
  lua_getinfo(L, "n", &info);
  return info.name == nullptr ? "?" : info.name;
}

// Sets each function in the table on the top, named "prefix<separator>name".
void set_named_functions(lua_State* L, const std::string& prefix, const luaL_Reg* functions) {
  for (; functions->name != nullptr; ++functions) {
    push(L, prefix + functions->name);
    lua_pushcclosure(L, functions->func, 1);
    lua_setfield(L, -2, functions->name);
  }
}

}  // namespace

double monotonic_seconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

EngineTime::Clock& EngineTime::clock() {
  static Clock clock;
  return clock;
}

EngineTime::EngineTime() {
  Clock& clock = EngineTime::clock();
  if (clock.depth++ == 0 && clock.running) clock.began = monotonic_seconds();
}

EngineTime::~EngineTime() {
  Clock& clock = EngineTime::clock();
  if (--clock.depth == 0 && clock.running) clock.total += monotonic_seconds() - clock.began;
}

NestedCall::NestedCall() {
  if (nested_calls == kMost) {
    throw Error(ErrorKind::kSpec, "stack overflow: " + std::to_string(kMost) +
                                      " nested calls of the host's functions");
  }
  ++nested_calls;
}

NestedCall::~NestedCall() {
  --nested_calls;
}

void push_functions(lua_State* L, const char* module, const luaL_Reg* functions) {
  lua_newtable(L);
  set_named_functions(L, std::string(module) + ".", functions);
}

void push_error(lua_State* L, const Error& error) {
  lua_createtable(L, 0, 4);
  set_field(L, "kind", kind_name(error.kind()));
  set_field(L, "message", error.message());
  set_field(L, "where", error.where());
  set_field(L, "hint", error.hint());
  if (luaL_newmetatable(L, "qspec.Error")) {
    lua_pushcfunction(L, error_to_string);
    lua_setfield(L, -2, "__tostring");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
  }
  lua_setmetatable(L, -2);
}

void argument_error(lua_State* L, int index, const char* wanted) {
  const std::string found =
      lua_isnone(L, index) ? "missing" : std::string("a ") + luaL_typename(L, index);
  throw Error(ErrorKind::kSpec, "argument " + std::to_string(index) + " of '" +
                                    std::string(function_name(L)) + "' is " + found + ", wanted " +
                                    wanted);
}

std::string_view check_string(lua_State* L, int index) {
  if (lua_type(L, index) != LUA_TSTRING) argument_error(L, index, "a string");
  size_t length = 0;
  const char* text = lua_tolstring(L, index, &length);
  return {text, length};
}

double check_number(lua_State* L, int index) {
  if (lua_type(L, index) != LUA_TNUMBER) argument_error(L, index, "a number");
  return lua_tonumber(L, index);
}

int64_t check_integer(lua_State* L, int index) {
  const double value = check_number(L, index);
  if (std::floor(value) != value || std::fabs(value) > kLargestExact) {
    argument_error(L, index, "a whole number");
  }
  return static_cast<int64_t>(value);
}

bool check_boolean(lua_State* L, int index) {
  if (!lua_isboolean(L, index)) argument_error(L, index, "true or false");
  return lua_toboolean(L, index) != 0;
}

void check_table(lua_State* L, int index) {
  if (!lua_istable(L, index)) argument_error(L, index, "a table");
}

bool is_absent(lua_State* L, int index) {
  return lua_isnoneornil(L, index);
}

void push_integer(lua_State* L, int64_t value) {
  const auto number = static_cast<double>(value);
  if (std::fabs(number) > kLargestExact) {
    throw Error(ErrorKind::kInternal, std::to_string(value) + " does not fit a Lua number");
  }
  lua_pushnumber(L, number);
}

void register_type(lua_State* L, const char* name, const luaL_Reg* methods,
                   const luaL_Reg* metamethods, lua_CFunction release) {
  luaL_newmetatable(L, name);
  if (metamethods != nullptr) luaL_register(L, nullptr, metamethods);
  const std::string prefix = std::string(name) + ":";
  const luaL_Reg release_method[] = {{"release", release}, {nullptr, nullptr}};
  lua_newtable(L);
  set_named_functions(L, prefix, methods);
  set_named_functions(L, prefix, release_method);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, release);
  lua_setfield(L, -2, "__gc");
  lua_pushstring(L, name);  // getmetatable says the type's name and no more
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}

}  // namespace qspec::lua
