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
  Outcome outcome;
};

inline int load_and_call(lua_State* L) {
  load_chunk(L, check_string(L, 1), "@test.lua");
  lua_pushvalue(L, LUA_GLOBALSINDEX);
  lua_setfenv(L, -2);
  lua_call(L, 0, 1);
  return 1;
}

inline int run_script(lua_State* L) {
  auto& script = *static_cast<Script*>(lua_touserdata(L, 1));
  lua_pushcfunction(L, translate<load_and_call>);
  push(L, script.text);
  script.outcome.passed = lua_pcall(L, 1, 1, 0) == 0;
  push_shown(L, -1);
  script.outcome.text = check_string(L, -1);
  return 0;
}

// Runs `text` as trusted code.
inline Outcome run(Host& host, const std::string& text) {
  Script script{text, {}};
  if (lua_cpcall(host.state(), translate<run_script>, &script) == 0) return script.outcome;
  lua_pop(host.state(), 1);
  return {false, "an error without text"};
}

inline Outcome run(const std::string& text) {
  Host host(source_tree());
  return run(host, text);
}

}  // namespace qspec::lua
