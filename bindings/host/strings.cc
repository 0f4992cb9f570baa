#include "bindings/host/strings.h"

#include <cmath>
#include <string>

#include "bindings/boundary.h"
#include "bindings/host/charged.h"
#include "bindings/host/confinement.h"
#include "bindings/host/format.h"
#include "bindings/host/matching.h"

namespace qspec::lua {
namespace {

// string.rep(text, count [, separator])
int repeat(lua_State* L) {
  const std::string_view text = check_text(L, 1);
  const double count = std::floor(check_number(L, 2));
  const std::string_view separator = is_absent(L, 3) ? std::string_view() : check_text(L, 3);
  if (std::isnan(count)) argument_error(L, 2, "a count");
  if (count < 1 || text.size() + separator.size() == 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  refuse_long_text(count * static_cast<double>(text.size() + separator.size()));
  const auto times = static_cast<size_t>(count);
  std::string result;
  result.reserve(times * (text.size() + separator.size()));
  for (size_t i = 0; i < times; ++i) {
    if (i > 0) result += separator;
    result += text;
  }
  charge_bytes(L, result.size());
  push(L, result);
  return 1;
}

// Of lower, upper and reverse: the text's bytes.
double text_cost(lua_State* L) {
  return static_cast<double>(check_text(L, 1).size()) / kBytesPerStep;
}

constexpr luaL_Reg kFunctions[] = {
    {"rep", translate<repeat>},           {"find", translate<find_pattern>},
    {"match", translate<match_pattern>},  {"gmatch", translate<each_match>},
    {"gsub", translate<replace_matches>}, {nullptr, nullptr}};

constexpr const char* kKept[] = {"byte", "char", "len", "sub"};
constexpr const char* kCharged[] = {"lower", "upper", "reverse"};

// Sets in the table below the top, the old library, what is kept of it in the one on the top.
void keep_functions(lua_State* L, int library) {
  for (const char* name : kKept) {
    lua_getfield(L, library, name);
    lua_setfield(L, -2, name);
  }
  for (const char* name : kCharged) {
    lua_getfield(L, library, name);
    push_charged(L, "string", name, text_cost);
    lua_setfield(L, -2, name);
  }
  lua_getfield(L, library, "format");
  push_format(L);
  lua_setfield(L, -2, "format");
}

void copy_fields(lua_State* L, int from, int to) {
  for (lua_pushnil(L); lua_next(L, from) != 0;) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, to);
  }
}

// Replaces, in the library's own table, every function; others hold that table already.
void replace_functions(lua_State* L, int library, int functions) {
  for (lua_pushnil(L); lua_next(L, library) != 0; lua_pop(L, 1)) {
    lua_pushvalue(L, -2);
    lua_pushnil(L);
    lua_rawset(L, library);
  }
  copy_fields(L, functions, library);
}

void lock_methods(lua_State* L, int functions) {
  lua_pushliteral(L, "");
  lua_getmetatable(L, -1);
  lua_pushvalue(L, functions);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 2);
}

}  // namespace

void open_strings(lua_State* L) {
  lua_getglobal(L, "string");
  const int library = lua_gettop(L);
  push_functions(L, "string", kFunctions);
  keep_functions(L, library);
  replace_functions(L, library, library + 1);
  lock_methods(L, library + 1);
  lua_pop(L, 2);
}

}  // namespace qspec::lua
