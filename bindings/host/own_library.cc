#include "bindings/host/own_library.h"

#include <dlfcn.h>

#include <filesystem>

#include "bindings/boundary.h"
#include "bindings/host/host.h"

namespace qspec::lua {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPlacesFromProgram[] = {".", "../lib/qspec"};
constexpr const char* kTextLibrary = "libqspec_text.so";
constexpr const char* kTextHint = "./qspec setup builds it";

[[noreturn]] void refuse(const std::string& message, const std::string& where,
                         const std::string& hint) {
  throw Error(ErrorKind::kUnsupported, message).at(where).hint(hint);
}

int text(lua_State* L) {
  const std::string path = own_library(Host::of(L).installation(), kTextLibrary, kTextHint);
  return open_from(L, map_library(path, kTextHint), "luaopen_host_text");
}

}  // namespace

std::optional<std::string> find_own_library(const Installation& installation,
                                            const std::string& name) {
  for (const char* place : kPlacesFromProgram) {
    const fs::path candidate = fs::path(installation.folder) / place / name;
    std::error_code ignored;
    if (fs::is_regular_file(candidate, ignored)) return candidate.string();
  }
  return std::nullopt;
}

std::string own_library(const Installation& installation, const std::string& name,
                        const std::string& hint) {
  if (auto path = find_own_library(installation, name)) return *std::move(path);
  refuse("there is no " + name + " beside the program", installation.folder, hint);
}

void* map_library(const std::string& path, const std::string& hint) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (library != nullptr) return library;
  const char* reason = dlerror();
  refuse(std::string("a library cannot be loaded: ") + (reason == nullptr ? "?" : reason), path,
         hint);
}

int open_from(lua_State* L, void* library, const char* symbol) {
  const auto open = reinterpret_cast<lua_CFunction>(dlsym(library, symbol));
  if (open == nullptr) {
    throw Error(ErrorKind::kInternal, std::string("no library of ours has ") + symbol);
  }
  return open(L);
}

int open_text(lua_State* L) {
  return guard<text>(L);
}

}  // namespace qspec::lua
