#pragma once

#include <cstddef>
#include <lua.hpp>
#include <string>
#include <string_view>

namespace qspec::lua {

inline constexpr size_t kMaxChunkBytes = 4u << 20;

// Compiles Lua text and pushes the function. Throws Error(kSpec), with `name` less its "@" and the
// line, for what does not compile and for what is not text: compiled code, a NUL byte, bytes that
// are not UTF-8, more than kMaxChunkBytes.
void load_chunk(lua_State* L, std::string_view text, const std::string& name);

}  // namespace qspec::lua
