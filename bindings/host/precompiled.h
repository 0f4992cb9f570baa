#pragma once

#include <lua.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace qspec::lua {

// Chunks of the standard library that were compiled when the program was built, in the file
// stdlib.bytecode beside it. A chunk is found by the hash of its text: a file that was edited since
// is compiled anew, and one that is new too, so nothing has to be rebuilt for them. Reading text
// costs nothing beside compiling it, which takes most of a run that looks at headers only.
//
// The file is a sequence of records: u64 hash of the text, u64 length, bytecode. Only ever made by
// the program's own build, for its own LuaJIT.

// Pushes the compiled chunk of `text` and returns true, or returns false.
bool push_precompiled(lua_State* L, const std::string& folder, std::string_view text);

// Compiles the files into the file `target`; each chunk is named by its path below `root`.
void precompile(const std::string& target, const std::string& root,
                const std::vector<std::string>& files);

}  // namespace qspec::lua
