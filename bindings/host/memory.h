#pragma once

#include <cstddef>
#include <cstdint>

namespace qspec::lua {

// The memory of one Lua state, counted, and refused above a limit.
class Memory {
 public:
  static constexpr size_t kUnlimited = SIZE_MAX;

  // As a lua_Alloc does it.
  void* allocate(void* block, size_t old_size, size_t new_size);

  size_t used() const { return used_; }
  size_t limit() const { return limit_; }
  void set_limit(size_t bytes) { limit_ = bytes; }

  // Whether a request was refused because of the limit since the last clear_refused.
  bool refused() const { return refused_; }
  void clear_refused() { refused_ = false; }

  // Asked before each request over kLargeRequest: false refuses it. May be null. For stops that a
  // count of instructions notices too late, such as one instruction that copies much.
  using Permission = bool (*)(void* argument);
  void set_permission(Permission permission, void* argument);

 private:
  // Above the limit for once, so that the error about it can be made.
  static constexpr size_t kReserve = 1u << 20;
  static constexpr size_t kLargeRequest = 64u << 10;

  bool permits(size_t old_size, size_t new_size);

  size_t used_ = 0;
  size_t limit_ = kUnlimited;
  bool refused_ = false;
  Permission permission_ = nullptr;
  void* permission_argument_ = nullptr;
};

}  // namespace qspec::lua
