#pragma once

#include <string>

#include "bindings/boundary.h"
#include "bindings/host/chunk.h"
#include "bindings/host/host.h"
#include "bindings/host/shown.h"

namespace qspec::lua {

// What a script gave: its first result, or the error that it raised, as text.
struct Outcome {
  bool passed = false;
  std::string text;
};

inline Installation source_tree() {
  return {"/proc/self/exe", QSPEC_SOURCE_DIR, QSPEC_SOURCE_DIR};
}

struct Script {
  std::string text;
  std::string result;
};

// Runs the Script that the argument points at, as trusted code.
inline int run_script(lua_State* L) {
  auto& script = *static_cast<Script*>(lua_touserdata(L, 1));
  load_chunk(L, script.text, "@test.lua");
  lua_pushvalue(L, LUA_GLOBALSINDEX);
  lua_setfenv(L, -2);
  lua_call(L, 0, 1);
  push_shown(L, -1);
  script.result = check_string(L, -1);
  return 0;
}

inline int show_error(lua_State* L) {
  push_shown(L, 1);
  static_cast<Script*>(lua_touserdata(L, 2))->result = check_string(L, -1);
  return 0;
}

inline Outcome run(Host& host, const std::string& text) {
  lua_State* L = host.state();
  Script script{text, ""};
  if (lua_cpcall(L, translate<run_script>, &script) == 0) return {true, script.result};
  lua_pushcfunction(L, translate<show_error>);
  lua_insert(L, -2);
  lua_pushlightuserdata(L, &script);
  if (lua_pcall(L, 2, 0, 0) != 0) lua_pop(L, 1);
  return {false, script.result};
}

inline Outcome run(const std::string& text) {
  Host host(source_tree());
  return run(host, text);
}

}  // namespace qspec::lua
