// What the kernels share: launches that are checked, and vectors of elements.

#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>

#include "engine/kernels/device.h"

namespace qspec::cuda {

// Throws Error(kDevice) unless `status` is success; `what` was being done.
void check(cudaError_t status, const char* what);

// Blocks for a kernel whose threads stride over the work: as many as fit the device at once, and
// no more than there is work.
template <class Kernel>
int resident_blocks(Kernel kernel, int threads, size_t shared_bytes, int64_t wanted) {
  int each = 0;
  check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&each, kernel, threads, shared_bytes),
        "asking for the occupancy of a kernel");
  const int64_t most = int64_t{std::max(1, each)} * current_device().multiprocessors;
  return static_cast<int>(std::clamp<int64_t>(wanted, 1, most));
}

// Lets `kernel` use `bytes` of shared memory where that is more than the 48 KB that all may use.
template <class Kernel>
void allow_shared(Kernel kernel, size_t bytes) {
  if (bytes <= 48 << 10) return;
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(bytes)),
        "asking for shared memory");
}

// A kernel that is launched after_previous may begin while the one before it in its stream ends. It
// then waits here before it touches what that one may have written: all of memory.
__device__ inline void wait_for_previous_kernel() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

// And from here on the next one may begin. After the wait, so that what the next but one finds in
// memory before it waits was complete two kernels ago.
__device__ inline void let_next_kernel_begin() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;");
#endif
}

template <class... Parameters, class... Arguments>
void launch_after_previous(void (*kernel)(Parameters...), int blocks, int threads,
                           size_t shared_bytes, Stream stream, const Arguments&... arguments) {
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attribute.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = static_cast<unsigned>(blocks);
  config.blockDim = static_cast<unsigned>(threads);
  config.dynamicSmemBytes = shared_bytes;
  config.stream = stream;
  config.attrs = &attribute;
  config.numAttrs = current_device().major >= 9 ? 1 : 0;
  check(cudaLaunchKernelEx(&config, kernel, arguments...), "launching a kernel");
}

// Calls body with a null pointer of the type that `element` names.
template <class Body>
void with_element(Element element, const Body& body) {
  if (element == Element::kFloat32) return body(static_cast<float*>(nullptr));
  if (element == Element::kFloat16) return body(static_cast<__half*>(nullptr));
  body(static_cast<__nv_bfloat16*>(nullptr));
}

__device__ inline float to_float(float x) {
  return x;
}
__device__ inline float to_float(__half x) {
  return __half2float(x);
}
__device__ inline float to_float(__nv_bfloat16 x) {
  return __bfloat162float(x);
}

template <class T>
__device__ T from_float(float x);
template <>
__device__ inline float from_float<float>(float x) {
  return x;
}
template <>
__device__ inline __half from_float<__half>(float x) {
  return __float2half_rn(x);
}
template <>
__device__ inline __nv_bfloat16 from_float<__nv_bfloat16>(float x) {
  return __float2bfloat16_rn(x);
}

// Two elements in a word.
__device__ inline void unpack(uint32_t word, float& low, float& high, const __half*) {
  const float2 both = __half22float2(*reinterpret_cast<const __half2*>(&word));
  low = both.x;
  high = both.y;
}
__device__ inline void unpack(uint32_t word, float& low, float& high, const __nv_bfloat16*) {
  low = __uint_as_float(word << 16);
  high = __uint_as_float(word & 0xffff0000u);
}
__device__ inline uint32_t pack(float low, float high, const __half*) {
  const __half2 both = __floats2half2_rn(low, high);
  return *reinterpret_cast<const uint32_t*>(&both);
}
__device__ inline uint32_t pack(float low, float high, const __nv_bfloat16*) {
  const __nv_bfloat162 both = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<const uint32_t*>(&both);
}

// kCount neighbouring elements, as they lie in memory; 16-byte accesses that do not stay in caches.
template <class T, int kCount>
struct Vector {
  static constexpr int kWords = kCount * static_cast<int>(sizeof(T)) / 16;
  static_assert(kWords * 16 == kCount * static_cast<int>(sizeof(T)));

  uint4 words[kWords];

  __device__ void load(const T* from) {
#pragma unroll
    for (int i = 0; i < kWords; ++i) words[i] = __ldcs(reinterpret_cast<const uint4*>(from) + i);
  }

  __device__ void store(T* to) const {
#pragma unroll
    for (int i = 0; i < kWords; ++i) __stcs(reinterpret_cast<uint4*>(to) + i, words[i]);
  }

  // In registers when loops over `i` are unrolled.
  __device__ uint32_t word(int i) const {
    const uint4& four = words[i / 4];
    return i % 4 == 0 ? four.x : i % 4 == 1 ? four.y : i % 4 == 2 ? four.z : four.w;
  }
  __device__ uint32_t& word(int i) {
    uint4& four = words[i / 4];
    return i % 4 == 0 ? four.x : i % 4 == 1 ? four.y : i % 4 == 2 ? four.z : four.w;
  }

  __device__ void to_floats(float (&x)[kCount]) const {
    if constexpr (sizeof(T) == 4) {
#pragma unroll
      for (int i = 0; i < kCount; ++i) x[i] = __uint_as_float(word(i));
    } else {
#pragma unroll
      for (int i = 0; i < kCount / 2; ++i) {
        unpack(word(i), x[2 * i], x[2 * i + 1], static_cast<const T*>(nullptr));
      }
    }
  }

  __device__ void from_floats(const float (&x)[kCount]) {
    if constexpr (sizeof(T) == 4) {
#pragma unroll
      for (int i = 0; i < kCount; ++i) word(i) = __float_as_uint(x[i]);
    } else {
#pragma unroll
      for (int i = 0; i < kCount / 2; ++i) {
        word(i) = pack(x[2 * i], x[2 * i + 1], static_cast<const T*>(nullptr));
      }
    }
  }
};

__host__ __device__ constexpr int64_t quotient_up(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

}  // namespace qspec::cuda
