// Codes of 1 to 8 bits to numbers, 8 neighbours a thread: they are a whole number of bytes.

#include <algorithm>
#include <bit>

#include "engine/core/error.h"
#include "engine/kernels/code_value.h"
#include "engine/kernels/coded.h"
#include "engine/kernels/launch.cuh"

namespace qspec::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kPer = 8;

struct TableValue {
  const float* table;
  __device__ float operator()(uint32_t code) const { return table[code]; }
};
struct OffsetValue {
  float base;
  __device__ float operator()(uint32_t code) const { return static_cast<float>(code) + base; }
};
struct SignedValue {
  __device__ float operator()(uint32_t code) const { return signed_value(code); }
};
struct E4m3Value {
  __device__ float operator()(uint32_t code) const { return e4m3_value(code); }
};

__device__ float rounded(float x, Step step) {
  if (step == Step::kFloat16) return __half2float(__float2half_rn(x));
  if (step == Step::kBfloat16) return __bfloat162float(__float2bfloat16_rn(x));
  return x;
}

// What a group does to a value. The absent zero and shift change nothing, not even the sign of 0.
struct Group {
  __device__ Group(const CodedOnDevice& w, int64_t index)
      : zero(w.zeros != nullptr ? __ldg(w.zeros + index) : 0.0f),
        scale(__ldg(w.scales + index)),
        shift(w.shifts != nullptr ? __ldg(w.shifts + index) : -0.0f) {}

  __device__ float operator()(const CodedOnDevice& w, float value) const {
    float x = __fmul_rn(rounded(__fsub_rn(value, zero), w.step), scale);
    if (w.shifts != nullptr) x = rounded(x, w.step);
    return __fadd_rn(x, shift);
  }

  float zero, scale, shift;
};

// The bytes of `count` codes, the first in the lowest bits. Words where they are aligned.
__device__ uint64_t load_codes(const CodedOnDevice& w, const uint8_t* from, int count) {
  const bool is_whole = count == kPer, words = w.row_bytes % 4 == 0;
  if (is_whole && w.bits == 4 && words) return __ldcs(reinterpret_cast<const uint32_t*>(from));
  if (is_whole && w.bits == 8 && words) {
    const uint32_t low = __ldcs(reinterpret_cast<const uint32_t*>(from));
    return low | uint64_t{__ldcs(reinterpret_cast<const uint32_t*>(from) + 1)} << 32;
  }
  uint64_t bytes = 0;
  for (int i = 0; i < (count * w.bits + 7) / 8; ++i) bytes |= uint64_t{__ldg(from + i)} << 8 * i;
  return bytes;
}

template <class T>
__device__ void store(const float (&x)[kPer], int count, bool is_aligned, T* to) {
  if (count == kPer && is_aligned) {
    Vector<T, kPer> vector;
    vector.from_floats(x);
    return vector.store(to);
  }
  for (int i = 0; i < kPer; ++i) {
    if (i < count) to[i] = from_float<T>(x[i]);
  }
}

// Columns first.. of a row whose scales begin at `scales`.
template <class T, class Value>
__device__ void decode_eight(const CodedOnDevice& w, const Value& value, int64_t row, int first,
                             int64_t scales, T* to) {
  const int count = static_cast<int>(min(int64_t{kPer}, w.columns - first));
  const uint64_t codes =
      load_codes(w, w.codes + row * w.row_bytes + int64_t{first} / kPer * w.bits, count);
  const uint32_t mask = (1u << w.bits) - 1;
  const auto code = [&](int i) { return static_cast<uint32_t>(codes >> i * w.bits) & mask; };
  const auto block = static_cast<uint32_t>(min(w.block_columns, w.columns));
  float x[kPer];
  if (w.groups == nullptr && block % kPer == 0) {
    const Group group(w, scales + static_cast<uint32_t>(first) / block);
#pragma unroll
    for (int i = 0; i < kPer; ++i) x[i] = group(w, value(code(i)));
  } else {
#pragma unroll
    for (int i = 0; i < kPer; ++i) {
      const int column = min(first + i, static_cast<int>(w.columns) - 1);
      const uint32_t group = w.groups != nullptr ? static_cast<uint32_t>(__ldg(w.groups + column))
                                                 : static_cast<uint32_t>(column) / block;
      x[i] = Group(w, scales + group)(w, value(code(i)));
    }
  }
  store(x, count, w.columns % kPer == 0, to + row * w.columns + first);
}

// A thread block covers some eights of some rows.
template <class T, class Value>
__device__ void decode_rows(const CodedOnDevice& w, const Value& value, T* to) {
  const int first = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x) * kPer;
  if (first >= w.columns) return;
  const auto rows = static_cast<uint32_t>(w.rows), period = static_cast<uint32_t>(w.period);
  const auto block_rows = static_cast<uint32_t>(w.block_rows);
  for (uint32_t row = blockIdx.y * blockDim.y + threadIdx.y; row < rows;
       row += gridDim.y * blockDim.y) {
    const int64_t group = row / period * w.groups_per_period + row % period / block_rows;
    decode_eight(w, value, row, first, group * w.column_groups, to);
  }
}

template <class T, class Value>
__global__ void __launch_bounds__(kThreads)
    coded_kernel(const __grid_constant__ CodedOnDevice weight, Value value, T* __restrict__ to) {
  decode_rows(weight, value, to);
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    coded_table_kernel(const __grid_constant__ CodedOnDevice weight, T* __restrict__ to) {
  __shared__ float table[256];
  const int tid = static_cast<int>(threadIdx.y * blockDim.x + threadIdx.x);
  if (tid < 1 << weight.bits) table[tid] = weight.values[tid];
  __syncthreads();
  decode_rows(weight, TableValue{table}, to);
}

template <class T>
void launch(const CodedOnDevice& w, T* to, Stream stream) {
  const int64_t eights = quotient_up(w.columns, kPer);
  const auto wide = std::bit_ceil(static_cast<uint64_t>(std::min<int64_t>(eights, kThreads)));
  const dim3 threads(static_cast<unsigned>(wide), static_cast<unsigned>(kThreads / wide));
  const dim3 blocks(
      static_cast<unsigned>(quotient_up(eights, threads.x)),
      static_cast<unsigned>(std::min<int64_t>(quotient_up(w.rows, threads.y), 65535)));
  if (w.kind == CodeValues::kTable) {
    coded_table_kernel<<<blocks, threads, 0, stream>>>(w, to);
  } else if (w.kind == CodeValues::kOffset) {
    coded_kernel<<<blocks, threads, 0, stream>>>(w, OffsetValue{w.base}, to);
  } else if (w.kind == CodeValues::kSigned) {
    coded_kernel<<<blocks, threads, 0, stream>>>(w, SignedValue{}, to);
  } else {
    coded_kernel<<<blocks, threads, 0, stream>>>(w, E4m3Value{}, to);
  }
}

}  // namespace

void dequantize_coded(const CodedOnDevice& weight, Element element, void* to, Stream stream) {
  if (weight.rows == 0 || weight.columns == 0) return;
  if (std::max({weight.rows, weight.period, weight.block_rows, weight.columns}) > INT32_MAX / 2) {
    throw Error(ErrorKind::kUnsupported, "a weight of so many rows or columns has no kernel");
  }
  with_element(element,
               [&](auto* type) { launch(weight, static_cast<decltype(type)>(to), stream); });
  check(cudaGetLastError(), "launching the decoding of codes");
}

}  // namespace qspec::cuda
