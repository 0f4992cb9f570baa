#include "bindings/host/environment.h"

#include "bindings/host/print.h"

namespace qspec::lua {
namespace {

constexpr const char* kFunctions[] = {"assert",   "error", "ipairs", "next",
                                      "pairs",    "pcall", "select", "tonumber",
                                      "tostring", "type",  "unpack", "rawequal"};

struct Library {
  const char* name;
  const char* left_out[3];
};

constexpr Library kLibraries[] = {{"string", {}},
                                  {"table", {"foreach", "foreachi", "getn"}},
                                  {"math", {"random", "randomseed", nullptr}},
                                  {"bit", {}}};

void copy_library(lua_State* L, const Library& library) {
  lua_newtable(L);
  const int copy = lua_gettop(L);
  lua_getglobal(L, library.name);
  for (lua_pushnil(L); lua_next(L, -2) != 0;) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, copy);
  }
  lua_pop(L, 1);
  for (const char* name : library.left_out) {
    if (name == nullptr) continue;
    lua_pushnil(L);
    lua_setfield(L, copy, name);
  }
}

}  // namespace

void push_environment(lua_State* L, int print_to) {
  lua_newtable(L);
  const int environment = lua_gettop(L);
  for (const char* name : kFunctions) {
    lua_getglobal(L, name);
    lua_setfield(L, environment, name);
  }
  for (const Library& library : kLibraries) {
    copy_library(L, library);
    lua_setfield(L, environment, library.name);
  }
  push_confined_print(L, print_to);
  lua_setfield(L, environment, "print");
}

}  // namespace qspec::lua
