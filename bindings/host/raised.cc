#include "bindings/host/raised.h"

#include <string>

#include "bindings/boundary.h"

namespace qspec::lua {
namespace {

constexpr std::string_view kCutMark = "...";
constexpr int kMostLevels = 100;  // finding a level walks all those before it

}  // namespace

int place_error(lua_State* L) {
  if (lua_type(L, 1) != LUA_TSTRING) return 1;
  const std::string_view message = check_string(L, 1);
  if (!message.starts_with(kCutMark)) return 1;
  lua_Debug info;
  for (int level = 1; level < kMostLevels && lua_getstack(L, level, &info) != 0; ++level) {
    lua_getinfo(L, "S", &info);
    const std::string_view shown = info.short_src;
    if (info.source[0] != '@' || !message.starts_with(shown)) continue;
    lua_pushstring(L, info.source + 1);
    push(L, message.substr(shown.size()));
    lua_concat(L, 2);
    return 1;
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
