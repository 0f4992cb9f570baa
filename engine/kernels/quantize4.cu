// 4-bit codes with an absmax a block. What limits it is the number of instructions for each
// element, so that codes come from one look into a table (threshold_bins.h) and not from a search.

#include <bit>

#include "engine/kernels/launch.cuh"
#include "engine/kernels/quantize4.h"
#include "engine/kernels/threshold_bins.h"

namespace qspec::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kPer = 8;      // elements of a thread: a word of codes
constexpr int kUnroll = 4;   // loads that are under way at once
constexpr int kCopies = 16;  // of the table: half a warp is served at once, each from its own banks

// A table in shared memory, [bin][copy].
struct Bin {
  float threshold;
  uint32_t before;
};

// Codes of positions 0 to 7, a byte each.
struct PositionCodes {
  uint32_t low;
  uint32_t high;
};

__device__ float reciprocal(float x, Reciprocal how) {
  if (how == Reciprocal::kRounded) return __frcp_rn(x);
  float result;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}

// Eight nibbles of positions as eight nibbles of codes; bit 3 is the sign and stays.
__device__ uint32_t coded(uint32_t positions, PositionCodes codes) {
  const uint32_t indices = positions & 0x77777777;
  const uint32_t low = __byte_perm(codes.low, codes.high, indices);
  const uint32_t high = __byte_perm(codes.low, codes.high, indices >> 16);
  const auto joined = [](uint32_t bytes) {
    const uint32_t pairs = bytes | bytes >> 4;  // nibbles 0 and 1 in byte 0, 2 and 3 in byte 2
    return __byte_perm(pairs, 0, 0x4420);
  };
  return (joined(low) | joined(high) << 16) | (positions & 0x88888888);
}

// Codes of x * inverse; element 2k in the high nibble of byte k.
template <bool kMagnitude>
__device__ uint32_t codes_of(const float (&x)[kPer], float inverse, const Bin* table,
                             PositionCodes codes) {
  uint32_t word = 0;
#pragma unroll
  for (int byte = kPer / 2 - 1; byte >= 0; --byte) {
#pragma unroll
    for (int i = 2 * byte; i < 2 * byte + 2; ++i) {
      const float y = __fmul_rn(x[i], inverse);
      const Bin bin = table[bin_of(y, kMagnitude) * kCopies];
      word = (word << 4) + bin.before;
      if ((kMagnitude ? fabsf(y) : y) > bin.threshold) ++word;
      if (kMagnitude && y < 0) word += 8;
    }
  }
  return kMagnitude ? coded(word, codes) : word;
}

template <class T>
__device__ void load_unit(const T* weight, int64_t unit, int64_t count, Vector<T, kPer>& values) {
  const int64_t begin = unit * kPer;
  if (begin + kPer <= count) return values.load(weight + begin);
  float x[kPer];
#pragma unroll
  for (int i = 0; i < kPer; ++i) x[i] = begin + i < count ? to_float(weight[begin + i]) : 0.0f;
  values.from_floats(x);
}

__device__ void store_unit(uint8_t* packed, int64_t unit, int64_t count, uint32_t word) {
  const int64_t begin = unit * kPer;
  if (begin + kPer <= count) {
    reinterpret_cast<uint32_t*>(packed)[unit] = word;
    return;
  }
  for (int64_t byte = begin / 2; byte < quotient_up(count, 2); ++byte, word >>= 8) {
    packed[byte] = static_cast<uint8_t>(word);
  }
}

__device__ float largest_of(const float (&x)[kPer]) {
  float largest = 0;
#pragma unroll
  for (int i = 0; i < kPer; ++i) largest = fmaxf(largest, fabsf(x[i]));
  return largest;
}

// 1 << log2_lanes neighbouring lanes hold a block, 8 elements each.
template <class T, bool kMagnitude>
__global__ void __launch_bounds__(kThreads)
    quantize4_kernel(const T* __restrict__ weight, int64_t count, int log2_lanes,
                     ThresholdBins bins, PositionCodes codes, Reciprocal how,
                     uint8_t* __restrict__ packed, float* __restrict__ absmax) {
  __shared__ Bin table[ThresholdBins::kCount * kCopies];
  for (int i = threadIdx.x; i < ThresholdBins::kCount * kCopies; i += kThreads) {
    table[i] = {bins.threshold[i / kCopies], bins.before[i / kCopies]};
  }
  __syncthreads();
  const Bin* mine = table + threadIdx.x % kCopies;
  const int lanes = 1 << log2_lanes;
  const bool is_first = threadIdx.x % lanes == 0;
  const int64_t units = quotient_up(count, kPer);
  const int64_t step = int64_t{gridDim.x} * kThreads * kUnroll;
  // A block's lanes are always here together: kThreads * kUnroll is a multiple of them.
  for (int64_t first = int64_t{blockIdx.x} * kThreads * kUnroll; first < units; first += step) {
    Vector<T, kPer> values[kUnroll];
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) {
      load_unit(weight, first + u * kThreads + threadIdx.x, count, values[u]);
    }
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) {
      const int64_t unit = first + u * kThreads + threadIdx.x;
      float x[kPer];
      values[u].to_floats(x);
      float largest = largest_of(x);
      for (int lane = lanes / 2; lane > 0; lane /= 2) {
        largest = fmaxf(largest, __shfl_xor_sync(~0u, largest, lane));
      }
      if (unit >= units) continue;
      store_unit(packed, unit, count,
                 codes_of<kMagnitude>(x, reciprocal(largest, how), mine, codes));
      if (is_first) absmax[unit >> log2_lanes] = largest;
    }
  }
}

__device__ uint32_t code_by_search(float y, const CodeRule& rule) {
  const float value = rule.magnitude ? fabsf(y) : y;
  int position = 0;
#pragma unroll
  for (int i = 0; i < 15; ++i) position += value > rule.thresholds[i] ? 1 : 0;
  return rule.codes[position] | (rule.magnitude && y < 0 ? 8u : 0u);
}

// Any block size and alignment: a warp for each block, which it reads twice.
template <class T>
__global__ void __launch_bounds__(kThreads)
    quantize4_any_kernel(const T* __restrict__ weight, int64_t count, int64_t block, CodeRule rule,
                         Reciprocal how, uint8_t* __restrict__ packed, float* __restrict__ absmax) {
  const int lane = threadIdx.x % 32;
  const int64_t blocks = quotient_up(count, block), warps = int64_t{gridDim.x} * (kThreads / 32);
  for (int64_t b = (int64_t{blockIdx.x} * kThreads + threadIdx.x) / 32; b < blocks; b += warps) {
    const int64_t begin = b * block, end = min(count, begin + block);
    float largest = 0;
    for (int64_t i = begin + lane; i < end; i += 32) {
      largest = fmaxf(largest, fabsf(to_float(weight[i])));
    }
    for (int other = 16; other > 0; other /= 2) {
      largest = fmaxf(largest, __shfl_xor_sync(~0u, largest, other));
    }
    const float inverse = reciprocal(largest, how);
    for (int64_t i = begin + 2 * lane; i < end; i += 64) {
      const float second = i + 1 < end ? to_float(weight[i + 1]) : 0.0f;
      const uint32_t high = code_by_search(__fmul_rn(to_float(weight[i]), inverse), rule);
      const uint32_t low = code_by_search(__fmul_rn(second, inverse), rule);
      packed[i / 2] = static_cast<uint8_t>(high << 4 | low);
    }
    if (lane == 0) absmax[b] = largest;
  }
}

template <class T, bool kMagnitude>
void launch_quick(const Quantize4& job, const ThresholdBins& bins, Stream stream) {
  PositionCodes codes{};
  for (int i = 0; i < 4; ++i) {
    codes.low |= job.rule.codes[i] << 8 * i;
    codes.high |= job.rule.codes[i + 4] << 8 * i;
  }
  const auto kernel = quantize4_kernel<T, kMagnitude>;
  const int64_t wanted = quotient_up(job.count, int64_t{kThreads} * kUnroll * kPer);
  const int blocks = resident_blocks(kernel, kThreads, 0, wanted);
  kernel<<<blocks, kThreads, 0, stream>>>(
      static_cast<const T*>(job.weight), job.count,
      std::countr_zero(static_cast<uint64_t>(job.block_size / kPer)), bins, codes, job.reciprocal,
      job.packed, job.absmax);
}

template <class T>
void launch_any(const Quantize4& job, Stream stream) {
  const auto kernel = quantize4_any_kernel<T>;
  const int64_t wanted = quotient_up(quotient_up(job.count, job.block_size), kThreads / 32);
  const int blocks = resident_blocks(kernel, kThreads, 0, wanted);
  kernel<<<blocks, kThreads, 0, stream>>>(static_cast<const T*>(job.weight), job.count,
                                          job.block_size, job.rule, job.reciprocal, job.packed,
                                          job.absmax);
}

bool is_aligned(const void* pointer, size_t bytes) {
  return reinterpret_cast<uintptr_t>(pointer) % bytes == 0;
}

bool is_quick(const Quantize4& job) {
  const int64_t block = job.block_size;
  if (block != 32 && block != 64 && block != 128 && block != 256) return false;
  if (!is_aligned(job.weight, 16) || !is_aligned(job.packed, 4)) return false;
  for (uint32_t i = 0; i < 16 && !job.rule.magnitude; ++i) {
    const bool is_used = i == 0 || job.rule.thresholds[i - 1] < HUGE_VALF;
    if (is_used && job.rule.codes[i] != i) return false;
  }
  return true;
}

}  // namespace

void quantize4(const Quantize4& job, Stream stream) {
  if (job.count == 0) return;
  const std::optional<ThresholdBins> bins = threshold_bins(job.rule);
  with_element(job.element, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    if (!bins || !is_quick(job)) return launch_any<T>(job, stream);
    if (job.rule.magnitude) return launch_quick<T, true>(job, *bins, stream);
    launch_quick<T, false>(job, *bins, stream);
  });
  check(cudaGetLastError(), "launching the quantization to 4 bits");
}

}  // namespace qspec::cuda
