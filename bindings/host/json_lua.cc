// host.json: JSON text and files as Lua values. See bindings/value.h for what maps to what.

#include <string>

#include "bindings/boundary.h"
#include "bindings/host/modules.h"
#include "bindings/value.h"
#include "engine/core/file.h"
#include "engine/core/json.h"

namespace qspec::lua {
namespace {

constexpr int kMaxIndent = 16;

// json.decode(text [, name]) -> value, kinds
int decode(lua_State* L) {
  const std::string_view text = check_string(L, 1);
  const std::string_view name = is_absent(L, 2) ? "JSON text" : check_string(L, 2);
  const Json json = parse_json(text, name);
  push_json(L, json);
  push_json_kinds(L, json);
  return 2;
}

// json.value(text [, name]) -> value
int value(lua_State* L) {
  const std::string_view name = is_absent(L, 2) ? "JSON text" : check_string(L, 2);
  push_json(L, parse_json(check_string(L, 1), name));
  return 1;
}

// json.kinds(text [, name]) -> kinds
int kinds(lua_State* L) {
  const std::string_view name = is_absent(L, 2) ? "JSON text" : check_string(L, 2);
  push_json_kinds(L, parse_json(check_string(L, 1), name));
  return 1;
}

// json.read(path) -> value, kinds
int read(lua_State* L) {
  const std::string path(check_string(L, 1));
  const Json json = parse_json(read_text_file(path, JsonLimits().bytes), path);
  push_json(L, json);
  push_json_kinds(L, json);
  return 2;
}

// The field of the options in argument 2, on the top; false when it is nil.
bool get_option(lua_State* L, const char* name) {
  lua_getfield(L, 2, name);
  return !lua_isnil(L, -1);
}

// json.encode(value [, {indent=, sort=, kinds=}]) -> text
int encode(lua_State* L) {
  JsonStyle style;
  int indent = -1;
  if (!is_absent(L, 2)) {
    check_table(L, 2);
    if (get_option(L, "indent")) indent = static_cast<int>(check_integer(L, -1));
    if (get_option(L, "sort")) style.sort = lua_toboolean(L, -1) != 0;
    if (get_option(L, "kinds")) style.kinds = lua_gettop(L);
  }
  if (indent > kMaxIndent) argument_error(L, 2, "an indent of at most 16");
  push(L, dump_json(json_at(L, 1, style), indent));
  return 1;
}

// json.array([list]) -> the same list, written as [...] even when it is empty
int array(lua_State* L) {
  if (is_absent(L, 1)) {
    lua_settop(L, 0);
    lua_newtable(L);
  }
  check_table(L, 1);
  mark_json_array(L, 1);
  lua_settop(L, 1);
  return 1;
}

// json.is_array(value) -> boolean
int is_array(lua_State* L) {
  lua_pushboolean(L, lua_istable(L, 1) && is_json_array(L, 1));
  return 1;
}

// json.keys(object) -> list of keys, in the order in which they are written
int keys(lua_State* L) {
  check_table(L, 1);
  push_json_keys(L, 1, false);
  return 1;
}

constexpr luaL_Reg kFunctions[] = {
    {"decode", guard<decode>},     {"value", guard<value>},   {"kinds", guard<kinds>},
    {"read", guard<read>},         {"encode", guard<encode>}, {"array", guard<array>},
    {"is_array", guard<is_array>}, {"keys", guard<keys>},     {nullptr, nullptr}};

}  // namespace
}  // namespace qspec::lua

int luaopen_host_json(lua_State* L) {
  qspec::lua::push_functions(L, "json", qspec::lua::kFunctions);
  qspec::lua::push_json_null(L);
  lua_setfield(L, -2, "null");
  return 1;
}
