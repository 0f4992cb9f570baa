#pragma once

#include <cstdint>
#include <lua.hpp>

namespace qspec::lua {

// One owner's claim on a piece of memory that Lua's collector cannot see. Bytes count once however
// many claims share the key; views of a tensor are free.
class HeldBytes {
 public:
  HeldBytes(const void* key, int64_t bytes);
  ~HeldBytes();
  HeldBytes(HeldBytes&& other) noexcept;
  HeldBytes(const HeldBytes&) = delete;
  HeldBytes& operator=(const HeldBytes&) = delete;
  HeldBytes& operator=(HeldBytes&&) = delete;

 private:
  const void* key_;  // nullptr: nothing is claimed
};

// Bytes behind the live handles of this process.
int64_t held_bytes();

// Collects all of Lua's garbage when more than the budget is held, 1 GiB at first. Where over 80 %
// of it is still held after that, the budget grows to 1.4 times what is held, so that collecting
// stays rare.
void collect_over_budget(lua_State* L);

}  // namespace qspec::lua
