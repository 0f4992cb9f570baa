// int8 with an absmax a row. A thread block keeps its row in registers between the two passes, up
// to 16384 columns; what is longer is read again.

#include "engine/kernels/launch.cuh"
#include "engine/kernels/rowwise8.h"

namespace qspec::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kPer = 8;
constexpr int kKept = 8;

// 8 elements of a row; 0 behind its end.
template <class T>
__device__ void load_eight(const T* row, int64_t first, int64_t columns, bool is_aligned,
                           Vector<T, kPer>& values) {
  if (is_aligned && first + kPer <= columns) return values.load(row + first);
  float x[kPer];
#pragma unroll
  for (int i = 0; i < kPer; ++i) x[i] = first + i < columns ? to_float(row[first + i]) : 0.0f;
  values.from_floats(x);
}

// As float16 makes them.
template <class T>
__device__ void to_halves(const Vector<T, kPer>& values, float (&x)[kPer]) {
  values.to_floats(x);
  if constexpr (!std::is_same_v<T, __half>) {
#pragma unroll
    for (int i = 0; i < kPer; ++i) x[i] = __half2float(__float2half_rn(x[i]));
  }
}

template <class T>
__device__ float largest_of(const Vector<T, kPer>& values, float largest) {
  float x[kPer];
  to_halves(values, x);
#pragma unroll
  for (int i = 0; i < kPer; ++i) largest = fmaxf(largest, fabsf(x[i]));
  return largest;
}

__device__ float largest_of_block(float largest) {
  __shared__ float of_warps[kThreads / 32];
  for (int by = 16; by > 0; by /= 2) largest = fmaxf(largest, __shfl_xor_sync(~0u, largest, by));
  if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = largest;
  __syncthreads();
  largest = of_warps[threadIdx.x % (kThreads / 32)];
  for (int by = kThreads / 64; by > 0; by /= 2) {
    largest = fmaxf(largest, __shfl_xor_sync(~0u, largest, by));
  }
  __syncthreads();  // before the next row writes
  return largest;
}

template <class T>
__device__ void store_eight(const Vector<T, kPer>& values, float scale, int64_t first,
                            int64_t columns, bool is_aligned, int8_t* codes) {
  if (first >= columns) return;
  float x[kPer];
  to_halves(values, x);
  if (is_aligned && first + kPer <= columns) {
    uint2 words = make_uint2(0, 0);
#pragma unroll
    for (int i = 0; i < kPer; ++i) {
      uint32_t& word = i < 4 ? words.x : words.y;
      word |= uint32_t{static_cast<uint8_t>(rowwise8_code(x[i], scale))} << 8 * (i % 4);
    }
    __stcs(reinterpret_cast<uint2*>(codes + first), words);
    return;
  }
  for (int i = 0; i < kPer; ++i) {
    if (first + i < columns) codes[first + i] = rowwise8_code(x[i], scale);
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    quantize_kernel(const T* __restrict__ weight, int64_t rows, int64_t columns, bool is_aligned,
                    int8_t* __restrict__ codes, float* __restrict__ absmax) {
  constexpr int64_t kStep = int64_t{kThreads} * kPer;
  const int64_t begin = int64_t{threadIdx.x} * kPer;
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const T* from = weight + row * columns;
    int8_t* to = codes + row * columns;
    Vector<T, kPer> kept[kKept], values;
    float largest = 0;
#pragma unroll
    for (int k = 0; k < kKept; ++k) {
      load_eight(from, begin + k * kStep, columns, is_aligned, kept[k]);
    }
#pragma unroll
    for (int k = 0; k < kKept; ++k) largest = largest_of(kept[k], largest);
    for (int64_t first = begin + kKept * kStep; first < columns; first += kStep) {
      load_eight(from, first, columns, is_aligned, values);
      largest = largest_of(values, largest);
    }
    largest = largest_of_block(largest);
    const float scale = __fmul_rn(127.0f, __frcp_rn(largest));
#pragma unroll
    for (int k = 0; k < kKept; ++k) {
      store_eight(kept[k], scale, begin + k * kStep, columns, is_aligned, to);
    }
    for (int64_t first = begin + kKept * kStep; first < columns; first += kStep) {
      load_eight(from, first, columns, is_aligned, values);
      store_eight(values, scale, first, columns, is_aligned, to);
    }
    if (threadIdx.x == 0) absmax[row] = largest;
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    dequantize_kernel(const int8_t* __restrict__ codes, const float* __restrict__ absmax,
                      int64_t rows, int64_t columns, bool is_aligned, T* __restrict__ to) {
  for (int64_t row = blockIdx.y; row < rows; row += gridDim.y) {
    const float scale = absmax[row];
    const int64_t first = (int64_t{blockIdx.x} * kThreads + threadIdx.x) * kPer;
    if (first >= columns) continue;
    const int8_t* from = codes + row * columns + first;
    T* out = to + row * columns + first;
    const auto value = [scale](int8_t code) {
      return __fmul_rn(__fmul_rn(static_cast<float>(code), scale), 1.0f / 127);
    };
    if (is_aligned && first + kPer <= columns) {
      const uint2 words = __ldcs(reinterpret_cast<const uint2*>(from));
      float x[kPer];
#pragma unroll
      for (int i = 0; i < kPer; ++i) {
        x[i] = value(static_cast<int8_t>((i < 4 ? words.x : words.y) >> 8 * (i % 4)));
      }
      Vector<T, kPer> vector;
      vector.from_floats(x);
      vector.store(out);
    } else {
      for (int i = 0; i < kPer && first + i < columns; ++i) out[i] = from_float<T>(value(from[i]));
    }
  }
}

bool rows_are_aligned(int64_t columns, const void* a, const void* b) {
  const auto address = [](const void* p) { return reinterpret_cast<uintptr_t>(p); };
  return columns % kPer == 0 && address(a) % 16 == 0 && address(b) % 16 == 0;
}

}  // namespace

void quantize_rowwise8(const void* weight, Element element, int64_t rows, int64_t columns,
                       int8_t* codes, float* absmax, Stream stream) {
  if (rows == 0) return;
  with_element(element, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const auto kernel = quantize_kernel<T>;
    const int blocks = resident_blocks(kernel, kThreads, 0, rows);
    kernel<<<blocks, kThreads, 0, stream>>>(static_cast<const T*>(weight), rows, columns,
                                            rows_are_aligned(columns, weight, codes), codes,
                                            absmax);
  });
  check(cudaGetLastError(), "launching the quantization of rows to int8");
}

void dequantize_rowwise8(const int8_t* codes, const float* absmax, int64_t rows, int64_t columns,
                         Element element, void* to, Stream stream) {
  if (rows == 0 || columns == 0) return;
  const dim3 blocks(static_cast<unsigned>(quotient_up(columns, int64_t{kThreads} * kPer)),
                    static_cast<unsigned>(std::min<int64_t>(rows, 65535)));
  with_element(element, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    dequantize_kernel<<<blocks, kThreads, 0, stream>>>(
        codes, absmax, rows, columns, rows_are_aligned(columns, codes, to), static_cast<T*>(to));
  });
  check(cudaGetLastError(), "launching the decoding of int8 rows");
}

}  // namespace qspec::cuda
