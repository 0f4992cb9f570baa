#pragma once

#include <lua.hpp>

// The openers of the host modules: each pushes its table, to be called by require. C linkage, as
// Lua names them; host.text has its own in libqspec_text.so, host.tensor
// and host.model in libqspec_torch.so.
extern "C" {
int luaopen_host_system(lua_State* L);
int luaopen_host_json(lua_State* L);
int luaopen_host_checkpoint(lua_State* L);
int luaopen_host_sandbox(lua_State* L);
int luaopen_host_gpu(lua_State* L);
}
