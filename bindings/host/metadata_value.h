#pragma once

#include <lua.hpp>

#include "engine/checkpoint/metadata.h"

namespace qspec::lua {

// Pushes the value: a number, a boolean, a text, or a list of them.
void push_metadata(lua_State* L, const MetadataEntry& entry);

// The value at `index` as one of the entry's type. Throws Error(kSpec) for another kind of value,
// for a number that the type does not hold, and for lists.
MetadataValue metadata_at(lua_State* L, int index, const MetadataEntry& entry);

// "u32", or "string[]" of a list.
std::string metadata_type_name(const MetadataEntry& entry);

}  // namespace qspec::lua
