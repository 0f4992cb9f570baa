#include "bindings/host/chunk.h"

#include <cstring>

#include "bindings/boundary.h"
#include "engine/core/utf8.h"

namespace qspec::lua {
namespace {

constexpr char kCompiledMark = '\x1B';

[[noreturn]] void refuse(const std::string& name, size_t line, const std::string& message,
                         std::string hint = "") {
  throw Error(ErrorKind::kSpec, message)
      .at(name.substr(name.starts_with('@') ? 1 : 0) + ":" + std::to_string(line))
      .hint(std::move(hint));
}

void refuse_what_is_no_text(std::string_view text, const std::string& name) {
  if (text.size() > kMaxChunkBytes) {
    refuse(name, 1, std::to_string(text.size()) + " bytes of Lua, the limit is 4 MiB");
  }
  if (text.starts_with(kCompiledMark)) {
    refuse(name, 1, "this is compiled Lua, wanted text");
  }
  size_t line = 1;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    const size_t length = c > 0 ? 1 : c == '\0' ? 0 : utf8_sequence(text.substr(i));
    if (length == 0) {
      refuse(name, line, "byte " + std::to_string(i) + " is no part of UTF-8 text",
             "save the file as UTF-8");
    }
    line += c == '\n';
    i += length;
  }
}

// Splits Lua's "name:12: message" and refuses with it.
[[noreturn]] void refuse_syntax(std::string_view message, const std::string& name) {
  const size_t mark = message.find(": ");
  const size_t colon = message.rfind(':', mark - 1);
  if (mark == std::string_view::npos || colon == std::string_view::npos) {
    refuse(name, 1, std::string(message));
  }
  const std::string line(message.substr(colon + 1, mark - colon - 1));
  refuse(name, std::strtoull(line.c_str(), nullptr, 10), std::string(message.substr(mark + 2)));
}

// A number such as 1LL makes the compiler open the foreign function interface and list it as a
// loaded module. It has to stay alive, since LuaJIT holds pointers into it, but out of reach.
void hide_foreign_functions(lua_State* L) {
  lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
  lua_getfield(L, -1, "ffi");
  if (lua_isnil(L, -1)) {
    lua_pop(L, 2);
    return;
  }
  lua_setfield(L, LUA_REGISTRYINDEX, "qspec.hidden_ffi");
  lua_pushnil(L);
  lua_setfield(L, -2, "ffi");
  lua_pop(L, 1);
}

}  // namespace

void load_chunk(lua_State* L, std::string_view text, const std::string& name) {
  refuse_what_is_no_text(text, name);
  const int status = luaL_loadbufferx(L, text.data(), text.size(), name.c_str(), "t");
  hide_foreign_functions(L);
  if (status == LUA_ERRMEM) lua_error(L);
  if (status != 0) {
    const std::string message(check_string(L, -1));
    lua_pop(L, 1);
    refuse_syntax(message, name);
  }
}

}  // namespace qspec::lua
