#include "bindings/host/raised.h"

#include <string>

#include "bindings/boundary.h"

namespace qspec::lua {
namespace {

constexpr std::string_view kCutMark = "...";
constexpr std::string_view kPlaceless = "stack overflow";  // LuaJIT leaves the place out at times
constexpr std::string_view kSpecPrefix = "@spec:";  // how chunks of specs are named (sandbox.load)
constexpr int kMostLevels = 100;                    // finding a level walks all those before it

// Gives the error table on the top the line of the spec, when it is without a place.
void place_table(lua_State* L) {
  lua_pushliteral(L, "where");
  lua_rawget(L, 1);
  const bool placeless = lua_type(L, -1) == LUA_TSTRING && lua_objlen(L, -1) == 0;
  lua_pop(L, 1);
  if (!placeless) return;
  lua_pushliteral(L, "where");
  push_running_line(L);
  lua_rawset(L, 1);
}

// Puts the whole file name in front of the message on the top.
void uncut_place(lua_State* L, std::string_view message) {
  lua_Debug info;
  for (int level = 1; level < kMostLevels && lua_getstack(L, level, &info) != 0; ++level) {
    lua_getinfo(L, "S", &info);
    const std::string_view shown = info.short_src;
    if (info.source[0] != '@' || !message.starts_with(shown)) continue;
    lua_pushstring(L, info.source + 1);
    push(L, message.substr(shown.size()));
    lua_concat(L, 2);
    return;
  }
}

void place_text(lua_State* L) {
  const std::string_view message = check_string(L, 1);
  if (message.starts_with(kCutMark)) return uncut_place(L, message);
  if (message != kPlaceless) return;
  lua_pushliteral(L, "spec:");
  push_running_line(L);
  if (lua_objlen(L, -1) == 0) {
    lua_settop(L, 1);
    return;
  }
  lua_pushliteral(L, ": ");
  lua_pushvalue(L, 1);
  lua_concat(L, 4);
}

}  // namespace

void push_running_line(lua_State* L) {
  lua_Debug info;
  for (int level = 0; level < kMostLevels && lua_getstack(L, level, &info) != 0; ++level) {
    lua_getinfo(L, "Sl", &info);
    if (!std::string_view(info.source).starts_with(kSpecPrefix)) continue;
    lua_pushfstring(L, "%s:%d", info.source + kSpecPrefix.size(), info.currentline);
    return;
  }
  lua_pushliteral(L, "");
}

int place_error(lua_State* L) {
  if (lua_istable(L, 1)) {
    place_table(L);
  } else if (lua_type(L, 1) == LUA_TSTRING) {
    place_text(L);
  }
  return 1;
}

void shorten_error(lua_State* L) {
  if (lua_type(L, -1) != LUA_TSTRING) return;
  const std::string_view message = check_string(L, -1);
  if (message.size() <= kLongestError) return;
  push(L, std::string(message.substr(0, kLongestError)) + " ... (" +
              std::to_string(message.size()) + " bytes)");
  lua_replace(L, -2);
}

}  // namespace qspec::lua
