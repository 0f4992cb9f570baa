#pragma once

#include <lua.hpp>
#include <string>
#include <vector>

#include "bindings/host/confinement.h"
#include "bindings/host/installation.h"
#include "bindings/host/memory.h"

namespace qspec::lua {

// The Lua state: counted memory, no compiler to machine code, and of Lua's own libraries only what
// the standard library of qspec needs. Everything else of the outside world is a module "host.*".
class Host {
 public:
  // `allocate` gets the Host as its first argument. Throws Error when the state cannot be made.
  explicit Host(Installation installation, lua_Alloc allocate = &Host::allocate);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  static Host& of(lua_State* L);
  static void* allocate(void* host, void* block, size_t old_size, size_t new_size);

  // Calls the function that require("qspec.main") gives with the words; its result is the exit
  // code. An error that nobody caught is written to stderr with its trace: kExitInternal.
  int run(const std::vector<std::string>& words);

  lua_State* state() { return L_; }
  const Installation& installation() const { return installation_; }
  Memory& memory() { return memory_; }
  Confinement& confinement() { return confinement_; }

  static constexpr int kExitInternal = 5;

 private:
  Installation installation_;
  Memory memory_;
  Confinement confinement_{memory_};
  lua_State* L_ = nullptr;
};

}  // namespace qspec::lua
