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
constexpr uint32_t kBinBytes = kCopies * sizeof(Bin);

// Codes of positions 0 to 7, a byte each.
struct PositionCodes {
  uint32_t low;
  uint32_t high;
};

__device__ float approximate_reciprocal(float x) {
  float result;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}

__device__ float reciprocal(float x, Reciprocal how) {
  return how == Reciprocal::kRounded ? __frcp_rn(x) : approximate_reciprocal(x);
}

// Rounded: one step of Newton's rounds the approximation right, but near the ends of fp32's range.
// That is asked once for all, so that the usual case is free of branches.
__device__ void reciprocals(const float (&x)[kUnroll], Reciprocal how, float (&inverse)[kUnroll]) {
  bool are_usual = true;
#pragma unroll
  for (int u = 0; u < kUnroll; ++u) {
    are_usual = are_usual && __float_as_uint(x[u]) - 0x01000000u < 0x7d000000u;
    inverse[u] = approximate_reciprocal(x[u]);
  }
  if (how == Reciprocal::kApproximate) return;
#pragma unroll
  for (int u = 0; u < kUnroll; ++u) {
    inverse[u] = __fmaf_rn(inverse[u], __fmaf_rn(-x[u], inverse[u], 1.0f), inverse[u]);
  }
  if (are_usual) return;
#pragma unroll 1
  for (int u = 0; u < kUnroll; ++u) {
    const float exact = __frcp_rn(u == 0 ? x[0] : u == 1 ? x[1] : u == 2 ? x[2] : x[3]);
#pragma unroll
    for (int v = 0; v < kUnroll; ++v) inverse[v] = u == v ? exact : inverse[v];
  }
}
static_assert(kUnroll == 4);

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

// The bin of y in the table whose address, less what the lowest bin's bits make, is `table`.
__device__ Bin bin_at(uint32_t table, float y, bool magnitude) {
  const float shifted = __fadd_rn(bin_fraction(y, magnitude), kBinShift);
  Bin bin;
  asm volatile("ld.shared.v2.b32 {%0, %1}, [%2];"
               : "=f"(bin.threshold), "=r"(bin.before)
               : "r"(__float_as_uint(shifted) * kBinBytes + table));
  return bin;
}

// Spelled out, because the compiler would add and then choose.
template <int kWhat>
__device__ void add_if_above(uint32_t& word, float a, float b) {
  asm("{.reg .pred above; setp.gt.f32 above, %1, %2; @above add.u32 %0, %0, %3;}"
      : "+r"(word)
      : "f"(a), "f"(b), "n"(kWhat));
}

// Codes of x * inverse; element 2k in the high nibble of byte k.
template <bool kMagnitude>
__device__ uint32_t codes_of(const float (&x)[kPer], float inverse, uint32_t table,
                             PositionCodes codes) {
  uint32_t word = 0;
#pragma unroll
  for (int byte = kPer / 2 - 1; byte >= 0; --byte) {
#pragma unroll
    for (int i = 2 * byte; i < 2 * byte + 2; ++i) {
      const float y = __fmul_rn(x[i], inverse);
      const Bin bin = bin_at(table, y, kMagnitude);
      word = (word << 4) + bin.before;
      add_if_above<1>(word, kMagnitude ? fabsf(y) : y, bin.threshold);
      if (kMagnitude) add_if_above<8>(word, -y, 0.0f);
    }
  }
  return kMagnitude ? coded(word, codes) : word;
}

template <class T>
__device__ void load_rest(const T* weight, int64_t begin, int64_t count, Vector<T, kPer>& values) {
  float x[kPer];
#pragma unroll
  for (int i = 0; i < kPer; ++i) x[i] = begin + i < count ? to_float(weight[begin + i]) : 0.0f;
  values.from_floats(x);
}

__device__ void store_rest(uint8_t* packed, int64_t begin, int64_t count, uint32_t word) {
  for (int64_t byte = begin / 2; byte < quotient_up(min(count, begin + kPer), 2); ++byte) {
    packed[byte] = static_cast<uint8_t>(word);
    word >>= 8;
  }
}

__device__ float largest_of(const float (&x)[kPer]) {
  float largest = 0;
#pragma unroll
  for (int i = 0; i < kPer; ++i) largest = fmaxf(largest, fabsf(x[i]));
  return largest;
}

// What a launch of the quick kernel shares.
struct Job {
  int64_t count;
  int log2_lanes;  // 1 << log2_lanes neighbouring lanes hold a block, 8 elements each
  PositionCodes codes;
  Reciprocal how;
};

// kUnroll units of each thread, kThreads apart. kWhole: all are there.
template <class T, bool kMagnitude, bool kWhole>
__device__ void quantize_units(const Job& job, const T* weight, int64_t first, uint32_t table,
                               uint8_t* packed, float* absmax) {
  const int lanes = 1 << job.log2_lanes;
  Vector<T, kPer> values[kUnroll];
#pragma unroll
  for (int u = 0; u < kUnroll; ++u) {
    const int64_t begin = (first + u * kThreads) * kPer;
    if (kWhole || begin + kPer <= job.count) {
      values[u].load(weight + begin);
    } else {
      load_rest(weight, begin, job.count, values[u]);
    }
  }
  float largest[kUnroll], inverse[kUnroll];
#pragma unroll
  for (int u = 0; u < kUnroll; ++u) {
    float x[kPer];
    values[u].to_floats(x);
    largest[u] = largest_of(x);
  }
  for (int lane = lanes / 2; lane > 0; lane /= 2) {
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) {
      largest[u] = fmaxf(largest[u], __shfl_xor_sync(~0u, largest[u], lane));
    }
  }
  reciprocals(largest, job.how, inverse);
#pragma unroll
  for (int u = 0; u < kUnroll; ++u) {
    const int64_t unit = first + u * kThreads;
    if (!kWhole && unit * kPer >= job.count) break;
    float x[kPer];
    values[u].to_floats(x);
    const uint32_t word = codes_of<kMagnitude>(x, inverse[u], table, job.codes);
    if (kWhole || (unit + 1) * kPer <= job.count) {
      reinterpret_cast<uint32_t*>(packed)[unit] = word;
    } else {
      store_rest(packed, unit * kPer, job.count, word);
    }
    if (threadIdx.x % lanes == 0) absmax[unit >> job.log2_lanes] = largest[u];
  }
}

template <class T, bool kMagnitude>
__global__ void __launch_bounds__(kThreads)
    quantize4_kernel(const T* __restrict__ weight, const __grid_constant__ Job job,
                     const __grid_constant__ ThresholdBins bins, uint8_t* __restrict__ packed,
                     float* __restrict__ absmax) {
  __shared__ Bin table[ThresholdBins::kCount * kCopies];
  for (int i = threadIdx.x; i < ThresholdBins::kCount * kCopies; i += kThreads) {
    table[i] = {bins.threshold[i / kCopies], bins.before[i / kCopies]};
  }
  __syncthreads();
  const uint32_t mine =
      static_cast<uint32_t>(__cvta_generic_to_shared(table + threadIdx.x % kCopies)) -
      kBinShiftBits * kBinBytes;
  const int64_t units = quotient_up(job.count, kPer), whole_units = job.count / kPer;
  constexpr int64_t kEach = int64_t{kThreads} * kUnroll;
  // A block's lanes are always here together: kThreads is a multiple of them.
  for (int64_t first = blockIdx.x * kEach; first < units; first += gridDim.x * kEach) {
    const int64_t unit = first + threadIdx.x;
    if (first + kEach <= whole_units) {
      quantize_units<T, kMagnitude, true>(job, weight, unit, mine, packed, absmax);
    } else {
      quantize_units<T, kMagnitude, false>(job, weight, unit, mine, packed, absmax);
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
  const Job quick{job.count, std::countr_zero(static_cast<uint64_t>(job.block_size / kPer)), codes,
                  job.reciprocal};
  const int64_t wanted = quotient_up(job.count, int64_t{kThreads} * kUnroll * kPer);
  const int blocks = resident_blocks(kernel, kThreads, 0, wanted);
  kernel<<<blocks, kThreads, 0, stream>>>(static_cast<const T*>(job.weight), quick, bins,
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
