// A step of the build: precompile TARGET ROOT FILE... writes stdlib.bytecode (precompiled.h).

#include <cstdio>
#include <string>
#include <vector>

#include "bindings/host/precompiled.h"
#include "engine/core/error.h"

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() < 2) return 2;
    qspec::lua::precompile(words[0], words[1], {words.begin() + 2, words.end()});
    return 0;
  } catch (const qspec::Error& error) {
    std::fprintf(stderr, "precompile: %s (%s)\n", error.what(), error.where().c_str());
    return 1;
  }
}
