#include "bindings/host/libraries.h"

#include <string>

#include "bindings/boundary.h"
#include "bindings/host/chunk.h"
#include "bindings/host/host.h"
#include "bindings/host/lists.h"
#include "bindings/host/precompiled.h"
#include "bindings/host/print.h"
#include "bindings/host/protected_call.h"
#include "bindings/host/strings.h"
#include "engine/core/file.h"

namespace qspec::lua {
namespace {

constexpr luaL_Reg kLibraries[] = {
    {"", luaopen_base},
    {LUA_LOADLIBNAME, luaopen_package},
    {LUA_TABLIBNAME, luaopen_table},
    {LUA_STRLIBNAME, luaopen_string},
    {LUA_MATHLIBNAME, luaopen_math},
    {LUA_BITLIBNAME, luaopen_bit},
    {LUA_DBLIBNAME, luaopen_debug},
};

// Compilers of text, readers of files, environments, and what runs code at collection.
constexpr const char* kRemovedGlobals[] = {"dofile",     "load",    "loadfile",
                                           "loadstring", "module",  "newproxy",
                                           "getfenv",    "setfenv", "gcinfo"};
constexpr const char* kRemovedFromPackage[] = {"loadlib", "cpath", "seeall", "config"};
constexpr const char* kKeptOfDebug[] = {"traceback", "getinfo"};

void open_own_libraries(lua_State* L) {
  for (const luaL_Reg& library : kLibraries) {
    lua_pushcfunction(L, library.func);
    lua_pushstring(L, library.name);
    lua_call(L, 1, 0);
  }
}

void remove_fields(lua_State* L, int table, const char* const* names, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    lua_pushnil(L);
    lua_setfield(L, table, names[i]);
  }
}

// Replaces the debug library by a table of the two functions that traces need.
void reduce_debug(lua_State* L) {
  lua_newtable(L);
  lua_getglobal(L, "debug");
  for (const char* name : kKeptOfDebug) {
    lua_getfield(L, -1, name);
    lua_setfield(L, -3, name);
  }
  lua_pop(L, 1);
  lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, "debug");
  lua_pop(L, 1);
  lua_setglobal(L, "debug");
}

// package.loaders' second: the file of a module, by package.path, as text.
int search_module(lua_State* L) {
  const std::string name(check_string(L, 1));
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "searchpath");
  lua_pushvalue(L, 1);
  lua_getfield(L, -3, "path");
  lua_call(L, 2, 2);
  if (lua_isnil(L, -2)) return 1;
  const std::string path(check_string(L, -2));
  const std::string text = read_text_file(path, kMaxChunkBytes);
  if (!push_precompiled(L, Host::of(L).installation().folder, text)) {
    load_chunk(L, text, "@" + path);
  }
  return 1;
}

void set_loaders(lua_State* L, int package) {
  lua_getfield(L, package, "loaders");
  lua_rawgeti(L, -1, 1);
  lua_createtable(L, 2, 0);
  lua_insert(L, -2);
  lua_rawseti(L, -2, 1);
  lua_pushcfunction(L, translate<search_module>);
  lua_rawseti(L, -2, 2);
  lua_setfield(L, package, "loaders");
  lua_pop(L, 1);
}

// require(name). Lua's own remembers a module that failed to load as "loop or previous error",
// which would hide the reason from whoever asks next. Upvalues: name, Lua's require.
int require(lua_State* L) {
  const std::string name(check_string(L, 1));
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_insert(L, 1);
  if (lua_pcall(L, 1, 1, 0) == 0) return 1;
  lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
  lua_pushnil(L);
  lua_setfield(L, -2, name.c_str());
  lua_pop(L, 1);
  return lua_error(L);
}

void replace_require(lua_State* L) {
  lua_pushliteral(L, "require");
  lua_getglobal(L, "require");
  lua_pushcclosure(L, translate<require>, 2);
  lua_setglobal(L, "require");
}

// Own modules, and libraries written in Lua that travel beside the program.
std::string module_path(const Installation& installation) {
  return installation.home + "/stdlib/?.lua;" + installation.folder + "/lua/?.lua";
}

void reduce_package(lua_State* L) {
  lua_getglobal(L, "package");
  const int package = lua_gettop(L);
  remove_fields(L, package, kRemovedFromPackage, std::size(kRemovedFromPackage));
  set_loaders(L, package);
  push(L, module_path(Host::of(L).installation()));
  lua_setfield(L, package, "path");
  // LuaJIT lists modules of its own there (table.new, string.buffer).
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, package, "preload");
  lua_setfield(L, LUA_REGISTRYINDEX, "_PRELOAD");
  lua_pop(L, 1);
}

}  // namespace

void open_libraries(lua_State* L) {
  open_own_libraries(L);
  remove_fields(L, LUA_GLOBALSINDEX, kRemovedGlobals, std::size(kRemovedGlobals));
  reduce_debug(L);
  reduce_package(L);
  replace_require(L);
  open_strings(L);
  open_lists(L);
  open_protected_call(L);
  open_print(L);
}

void preload_module(lua_State* L, const char* name, lua_CFunction open) {
  lua_getfield(L, LUA_REGISTRYINDEX, "_PRELOAD");
  lua_pushcfunction(L, open);
  lua_setfield(L, -2, name);
  lua_pop(L, 1);
}

}  // namespace qspec::lua
