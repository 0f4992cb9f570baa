#include "bindings/host/memory.h"

#include <cstdlib>

namespace qspec::lua {

void* Memory::allocate(void* block, size_t old_size, size_t new_size) {
  if (new_size == 0) {
    std::free(block);
    used_ -= old_size;
    return nullptr;
  }
  if (new_size > old_size && !permits(old_size, new_size)) return nullptr;
  void* result = std::realloc(block, new_size);
  if (result != nullptr) used_ += new_size - old_size;
  return result;
}

bool Memory::permits(size_t old_size, size_t new_size) {
  const size_t growth = new_size - old_size;
  const size_t limit = refused_ && limit_ != kUnlimited ? limit_ + kReserve : limit_;
  if (used_ > limit || growth > limit - used_) {
    refused_ = true;
    return false;
  }
  return growth <= kLargeRequest || permission_ == nullptr || permission_(permission_argument_);
}

void Memory::set_permission(Permission permission, void* argument) {
  permission_ = permission;
  permission_argument_ = argument;
}

}  // namespace qspec::lua
