#pragma once

#include <string>

namespace qspec::lua {

// Where the program and what belongs to it are.
struct Installation {
  std::string program;  // the running file
  std::string folder;   // the one that holds it
  std::string home;     // the one that holds stdlib/, specs/ and examples/
};

// QSPEC_HOME when set, else the nearest folder from the program's own upward (or ../share/qspec of
// an installed tree) that holds stdlib/qspec/main.lua. Throws Error(kIo) naming what was looked at.
Installation find_installation();

}  // namespace qspec::lua
