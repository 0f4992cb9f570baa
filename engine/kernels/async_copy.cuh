// Copies into shared memory that a thread begins and does not wait for.

#pragma once

#include <cstdint>

namespace qspec::cuda {

__device__ inline uint32_t shared_address(const void* pointer) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

// 16 bytes pass the first cache by: nobody else wants them.
template <int kBytes>
__device__ void copy_to(uint32_t to, const void* from) {
  static_assert(kBytes == 4 || kBytes == 8 || kBytes == 16);
  if constexpr (kBytes == 16) {
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16;" ::"r"(to), "l"(from)
                 : "memory");
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2;" ::"r"(to), "l"(from), "n"(kBytes)
                 : "memory");
  }
}

template <int kBytes>
__device__ void copy(void* to, const void* from) {
  copy_to<kBytes>(shared_address(to), from);
}

// Ends a group of copies.
__device__ inline void commit_copies() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}

// All but the newest `kNewer` groups have arrived, for all lanes.
template <int kNewer>
__device__ void wait_for_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kNewer) : "memory");
  __syncwarp();
}

}  // namespace qspec::cuda
