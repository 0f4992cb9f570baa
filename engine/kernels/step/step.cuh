// What the kernels of a step share.

#pragma once

#include "engine/kernels/launch.cuh"

namespace qspec::cuda {

// To the nearest that an element of type T holds.
template <class T>
struct RoundedTo {
  __device__ float operator()(float x) const { return to_float(from_float<T>(x)); }
};

// A sum over the threads of a block, given to all of them: within warps, then over the warps in
// their order. `of_warps` is shared memory for 32 numbers.
__device__ inline float block_sum(float x, float* of_warps) {
  for (int by = 16; by > 0; by /= 2) x += __shfl_xor_sync(~0u, x, by);
  const int warps = blockDim.x / 32;
  __syncthreads();
  if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = x;
  __syncthreads();
  float sum = static_cast<int>(threadIdx.x % 32) < warps ? of_warps[threadIdx.x % 32] : 0.0f;
  for (int by = 16; by > 0; by /= 2) sum += __shfl_xor_sync(~0u, sum, by);
  return sum;
}

// N neighbouring elements as floats, in one load or store; N * sizeof(T) is at most 16.
template <class T, int N>
struct Pack {
  T values[N];
};

template <int N, class T>
__device__ void load_floats(const T* from, float (&to)[N]) {
  struct alignas(sizeof(T) * N) Aligned : Pack<T, N> {};
  const Aligned pack = *reinterpret_cast<const Aligned*>(from);
#pragma unroll
  for (int i = 0; i < N; ++i) to[i] = to_float(pack.values[i]);
}

template <int N, class T>
__device__ void store_floats(const float (&from)[N], T* to) {
  struct alignas(sizeof(T) * N) Aligned : Pack<T, N> {};
  Aligned pack;
#pragma unroll
  for (int i = 0; i < N; ++i) pack.values[i] = from_float<T>(from[i]);
  *reinterpret_cast<Aligned*>(to) = pack;
}

inline bool is_multiple(int64_t n, std::initializer_list<int64_t> sizes) {
  return std::all_of(sizes.begin(), sizes.end(), [n](int64_t size) { return size % n == 0; });
}

inline bool is_aligned(std::initializer_list<const void*> pointers) {
  return std::all_of(pointers.begin(), pointers.end(), [](const void* pointer) {
    return reinterpret_cast<uintptr_t>(pointer) % 16 == 0;
  });
}

}  // namespace qspec::cuda
