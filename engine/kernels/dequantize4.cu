// 4-bit codes to numbers. Four fifths of the traffic is the result, so a thread writes 16 bytes and
// its neighbour the next 16.

#include <bit>
#include <type_traits>

#include "engine/kernels/codes4.cuh"
#include "engine/kernels/launch.cuh"

namespace qspec::cuda {
namespace {

constexpr int kThreads = 512;
constexpr int kUnroll = 4;

// 4 codes for 16 bytes of fp32, 8 for as many of half the width.
template <class T>
using CodeWord = std::conditional_t<sizeof(T) == 4, uint16_t, uint32_t>;

template <class T>
constexpr int kPer = 16 / static_cast<int>(sizeof(T));

template <class T>
__device__ void decode_unit(const float2* pairs, uint32_t word, float scale, T* to) {
  float x[kPer<T>];
#pragma unroll
  for (int byte = 0; byte < kPer<T> / 2; ++byte) {
    const float2 pair = pair_of(pairs, word, byte);
    x[2 * byte] = __fmul_rn(pair.x, scale);
    x[2 * byte + 1] = __fmul_rn(pair.y, scale);
  }
  Vector<T, kPer<T>> vector;
  vector.from_floats(x);
  vector.store(to);
}

template <class T>
__device__ void decode_one(const Codes4OnDevice& codes, int64_t i, T* to) {
  const uint8_t byte = codes.packed[i / 2];
  const float value = codes.codebook.value[i % 2 == 0 ? byte >> 4 : byte & 15];
  to[i] = from_float<T>(__fmul_rn(value, codes.absmax[i / codes.block_size]));
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    dequantize4_kernel(const __grid_constant__ Codes4OnDevice codes, int log2_block,
                       T* __restrict__ to) {
  extern __shared__ float2 table[];
  fill_pairs(table, codes.codebook);
  __syncthreads();
  const float2* pairs = own_pairs(table);
  const auto* words = reinterpret_cast<const CodeWord<T>*>(codes.packed);
  const int64_t units = codes.count / kPer<T>;
  const int64_t step = int64_t{gridDim.x} * kThreads * kUnroll;
  for (int64_t first = int64_t{blockIdx.x} * kThreads * kUnroll; first < units; first += step) {
    uint32_t word[kUnroll];
    float scale[kUnroll];
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) {
      const int64_t unit = min(units - 1, first + u * kThreads + threadIdx.x);
      word[u] = __ldcs(words + unit);
      scale[u] = __ldg(codes.absmax + (unit * kPer<T> >> log2_block));
    }
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) {
      const int64_t unit = first + u * kThreads + threadIdx.x;
      if (unit < units) decode_unit(pairs, word[u], scale[u], to + unit * kPer<T>);
    }
  }
  const int64_t rest = units * kPer<T> + threadIdx.x;
  if (blockIdx.x == 0 && rest < codes.count) decode_one(codes, rest, to);
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    dequantize4_any_kernel(const __grid_constant__ Codes4OnDevice codes, T* __restrict__ to) {
  const int64_t step = int64_t{gridDim.x} * kThreads;
  for (int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x; i < codes.count; i += step) {
    decode_one(codes, i, to);
  }
}

bool is_quick(const Codes4OnDevice& codes, const void* to) {
  const auto address = [](const void* p) { return reinterpret_cast<uintptr_t>(p); };
  return std::has_single_bit(static_cast<uint64_t>(codes.block_size)) && codes.block_size >= 8 &&
         address(codes.packed) % 4 == 0 && address(to) % 16 == 0;
}

template <class T>
void launch_quick(const Codes4OnDevice& codes, T* to, Stream stream) {
  const auto kernel = dequantize4_kernel<T>;
  const int64_t wanted = quotient_up(codes.count, int64_t{kThreads} * kUnroll * kPer<T>);
  const int blocks = resident_blocks(kernel, kThreads, kPairTableBytes, wanted);
  kernel<<<blocks, kThreads, kPairTableBytes, stream>>>(
      codes, std::countr_zero(static_cast<uint64_t>(codes.block_size)), to);
}

template <class T>
void launch_any(const Codes4OnDevice& codes, T* to, Stream stream) {
  const auto kernel = dequantize4_any_kernel<T>;
  const int blocks = resident_blocks(kernel, kThreads, 0, quotient_up(codes.count, kThreads));
  kernel<<<blocks, kThreads, 0, stream>>>(codes, to);
}

}  // namespace

void dequantize4(const Codes4OnDevice& codes, Element element, void* to, Stream stream) {
  if (codes.count == 0) return;
  with_element(element, [&](auto* type) {
    auto* elements = static_cast<decltype(type)>(to);
    if (is_quick(codes, to)) return launch_quick(codes, elements, stream);
    launch_any(codes, elements, stream);
  });
  check(cudaGetLastError(), "launching the decoding of 4-bit codes");
}

}  // namespace qspec::cuda
