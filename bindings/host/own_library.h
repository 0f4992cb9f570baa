#pragma once

#include <lua.hpp>
#include <optional>
#include <string>

#include "bindings/host/installation.h"

namespace qspec::lua {

// The program's own shared libraries, mapped when first needed so that a run that does without them
// does not pay for them. They travel beside the program, or in ../lib/qspec of an installed tree.

// The path of a library of ours; nothing when it is not there.
std::optional<std::string> find_own_library(const Installation& installation,
                                            const std::string& name);

// The same of one that must be there. Throws Error(kUnsupported), with `hint`, when it is not
// there.
std::string own_library(const Installation& installation, const std::string& name,
                        const std::string& hint);

// Maps a library for good; its symbols serve those mapped after it. Throws Error(kUnsupported).
void* map_library(const std::string& path, const std::string& hint);

// Calls the opener `symbol` of a mapped library.
int open_from(lua_State* L, void* library, const char* symbol);

// Opener of host.text, in libqspec_text.so (Oniguruma and Unicode tables are with it).
int open_text(lua_State* L);

}  // namespace qspec::lua
