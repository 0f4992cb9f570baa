#pragma once

#include <lua.hpp>

#include "engine/core/json.h"

namespace qspec::lua {

// JSON as Lua values. null is one sentinel value; objects and arrays are plain tables, and which of
// the two a table is, and in what order its keys came, is remembered beside it (weakly), so that
// json_at gives back what push_json took.

// Makes the sentinel and the memory; once a state, before anything else here.
void register_json_values(lua_State* L);

// Throws Error(kCheckpoint) when `json` is nested deeper than kMaxJsonDepth.
void push_json(lua_State* L, const Json& json);

// The same shape with the kind of each leaf: "integer", "float", "string", "boolean", "null", or
// "inexact" for a whole number that a Lua number does not hold.
void push_json_kinds(lua_State* L, const Json& json);

struct JsonStyle {
  bool sort = false;  // keys sorted; else in the order of the file, new ones sorted behind
  int kinds = 0;      // stack index of push_json_kinds's table: its floats stay floats; 0: none
};

// The value at `index` as JSON. A table that was never marked is an array when it has items 1 to n
// and nothing else. Throws Error(kSpec) for what JSON cannot hold (a function, a key that is no
// string, a table that is deeper than kMaxJsonDepth, as cycles are), naming its place.
Json json_at(lua_State* L, int index, const JsonStyle& style = {});

void push_json_null(lua_State* L);
bool is_json_null(lua_State* L, int index);

// What the table at `index` was decoded or marked as; unmarked tables as in json_at.
bool is_json_array(lua_State* L, int index);
void mark_json_array(lua_State* L, int index);

// Pushes the list of the keys of the object at `index`, in the order in which it is written.
void push_json_keys(lua_State* L, int index, bool sort);

inline constexpr int kMaxJsonDepth = 64;

}  // namespace qspec::lua
