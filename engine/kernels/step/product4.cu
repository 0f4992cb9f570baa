// Warps take rows of the weight, one after the other, and hold their part of x in registers; where
// a row is too long for that, 2 to 16 warps share it. A lane takes 32 neighbouring codes at a time,
// so that a warp reads 512 bytes in line. One look into a table decodes a byte; there is a table
// for each lane, so that no two want the same bank.

#include <cuda_fp16.h>

#include <bit>

#include "engine/kernels/step/product4.h"
#include "engine/kernels/step/step.cuh"

namespace qspec::cuda {
namespace {

constexpr int kThreads = 512;
constexpr int kWarps = kThreads / 32;
constexpr int kLaneCodes = 32;
constexpr int kPassCodes = 32 * kLaneCodes;  // of a warp
constexpr int kMostPasses = 3;               // of a warp over its part of a row

struct Job {
  const uint8_t* packed;
  const float* scales;
  Codebook16 codebook;
  bool low_nibble_first;
  int rows, columns, log2_group;
  int warps;  // that share a row
  const void* x;
  const void* bias;
  bool bias_apart;
  void* y;
};

// Codes of a row and their scales, of a lane; scales of 0 where there is nothing.
template <int Passes>
struct LaneOfRow {
  uint4 codes[Passes];
  float scales[Passes];

  __device__ void load(const Job& job, int row, int first_column) {
#pragma unroll
    for (int i = 0; i < Passes; ++i) {
      const int column = first_column + i * kPassCodes;
      const bool is_there = row < job.rows && column < job.columns;
      const int64_t at = is_there ? int64_t{row} * job.columns + column : 0;
      codes[i] = __ldcs(reinterpret_cast<const uint4*>(job.packed + at / 2));
      const float scale = __ldg(job.scales + (at >> job.log2_group));
      scales[i] = is_there ? scale : 0.0f;
    }
  }
};

using Table = uint32_t[256 * 32];

__device__ void fill(const Job& job, Table& table) {
  for (int i = threadIdx.x; i < 256 * 32; i += kThreads) {
    const float high = job.codebook.value[i / 32 >> 4], low = job.codebook.value[i / 32 & 15];
    table[i] = pack(job.low_nibble_first ? low : high, job.low_nibble_first ? high : low,
                    static_cast<const __half*>(nullptr));
  }
}

// The two values of byte `byte` of `word`.
__device__ __half2 decoded(const Table& table, uint32_t word, int byte) {
  const uint32_t shifted = byte == 0 ? word << 7 : word >> (8 * byte - 7);
  const uint32_t at = (shifted & 0x7f80) | threadIdx.x % 32 * 4;
  return *reinterpret_cast<const __half2*>(reinterpret_cast<const char*>(table) + at);
}

__device__ uint32_t word_of(const uint4& codes, int i) {
  return i == 0 ? codes.x : i == 1 ? codes.y : i == 2 ? codes.z : codes.w;
}

// The power of two that takes the largest magnitude of x to 2^11 to 2^12.
template <class T>
__device__ int exponent_of(const Job& job, float* of_warps) {
  constexpr int kWide = 16 / sizeof(T);
  float largest = 0;
  for (int i = threadIdx.x * kWide; i < job.columns; i += kThreads * kWide) {
    float values[kWide];
    load_floats<kWide>(static_cast<const T*>(job.x) + i, values);
#pragma unroll
    for (int k = 0; k < kWide; ++k) largest = fmaxf(largest, fabsf(values[k]));
  }
  for (int by = 16; by > 0; by /= 2) largest = fmaxf(largest, __shfl_xor_sync(~0u, largest, by));
  if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = largest;
  __syncthreads();
  largest = of_warps[threadIdx.x % kWarps];
  for (int by = 16; by > 0; by /= 2) largest = fmaxf(largest, __shfl_xor_sync(~0u, largest, by));
  const bool is_ordinary = largest > 0 && isfinite(largest);
  return is_ordinary ? min(126, 11 - ilogbf(largest)) : 0;
}

template <int Passes>
struct LaneOfX {
  __half2 pairs[Passes][kLaneCodes / 2];

  template <class T>
  __device__ void load(const Job& job, const T* x, int first_column, float up) {
    constexpr int kWide = 16 / sizeof(T);
#pragma unroll
    for (int i = 0; i < Passes; ++i) {
      const int column = first_column + i * kPassCodes;
#pragma unroll
      for (int from = 0; from < kLaneCodes; from += kWide) {
        float values[kWide] = {};
        if (column < job.columns) load_floats<kWide>(x + column + from, values);
#pragma unroll
        for (int k = 0; k < kWide; k += 2) {
          pairs[i][(from + k) / 2] = __floats2half2_rn(values[k] * up, values[k + 1] * up);
        }
      }
    }
  }
};

template <int Passes>
__device__ float multiply(const Table& table, const LaneOfRow<Passes>& row,
                          const LaneOfX<Passes>& x) {
  float sum = 0;
#pragma unroll
  for (int i = 0; i < Passes; ++i) {
    __half2 sums[2] = {};
#pragma unroll
    for (int j = 0; j < kLaneCodes / 2; ++j) {
      const __half2 weight = decoded(table, word_of(row.codes[i], j / 4), j % 4);
      sums[j % 2] = __hfma2(weight, x.pairs[i][j], sums[j % 2]);
    }
    const float2 a = __half22float2(sums[0]), b = __half22float2(sums[1]);
    sum = fmaf((a.x + a.y) + (b.x + b.y), row.scales[i], sum);
  }
  for (int by = 16; by > 0; by /= 2) sum += __shfl_xor_sync(~0u, sum, by);
  return sum;
}

// Waits for the warps that share a row.
__device__ void wait_for_team(int team, int warps) {
  asm volatile("bar.sync %0, %1;" ::"r"(team + 1), "r"(warps * 32) : "memory");
}

template <class T>
__device__ void store(const Job& job, int row, float sum) {
  if (job.bias != nullptr) {
    if (job.bias_apart) sum = RoundedTo<T>()(sum);
    sum += to_float(static_cast<const T*>(job.bias)[row]);
  }
  static_cast<T*>(job.y)[row] = from_float<T>(sum);
}

template <int Passes, class T>
__global__ void __launch_bounds__(kThreads, 1) one_row_kernel(const __grid_constant__ Job job) {
  __shared__ Table table;
  __shared__ float of_warps[kWarps];
  __shared__ float parts[2][kWarps];
  const int warp = threadIdx.x / 32, team = warp / job.warps, member = warp % job.warps;
  const int first_column = member * Passes * kPassCodes + threadIdx.x % 32 * kLaneCodes;
  const int teams = kWarps / job.warps, step = teams * static_cast<int>(gridDim.x);
  int row = static_cast<int>(blockIdx.x) * teams + team;
  LaneOfRow<Passes> now, next;
  now.load(job, row, first_column);
  next.load(job, row + step, first_column);
  fill(job, table);
  wait_for_previous_kernel();
  let_next_kernel_begin();
  const int exponent = exponent_of<T>(job, of_warps);  // and the table is there
  LaneOfX<Passes> x;
  x.load(job, static_cast<const T*>(job.x), first_column, ldexpf(1.0f, exponent));
  const float down = ldexpf(1.0f, -exponent);
  int turn = 0;
  const auto finish = [&](float sum) {
    if (job.warps > 1) {
      if (threadIdx.x % 32 == 0) parts[turn][warp] = sum;
      wait_for_team(team, job.warps);
      sum = 0;
      for (int i = 0; i < job.warps; ++i) sum += parts[turn][team * job.warps + i];
      turn ^= 1;
    }
    if (member == 0 && threadIdx.x % 32 == 0) store<T>(job, row, sum * down);
    row += step;
  };
  while (row < job.rows) {
    const float sum = multiply(table, now, x);
    now.load(job, row + 2 * step, first_column);
    finish(sum);
    if (row >= job.rows) break;
    const float other = multiply(table, next, x);
    next.load(job, row + 2 * step, first_column);
    finish(other);
  }
}

// How many warps share a row: the fewest whose registers hold x.
int warps_of_row(int64_t columns) {
  const int64_t passes = quotient_up(columns, kPassCodes);
  return static_cast<int>(std::bit_ceil(static_cast<uint64_t>(quotient_up(passes, kMostPasses))));
}

bool has_kernel(const Gemv4& job) {
  return job.batch == 1 && job.zeros == nullptr && job.scales_per_row == 0 && job.rows > 0 &&
         job.columns % kLaneCodes == 0 && job.group >= kLaneCodes &&
         std::has_single_bit(static_cast<uint64_t>(job.group)) &&
         warps_of_row(job.columns) <= kWarps && job.rows < INT32_MAX / 4 &&
         is_aligned({job.packed, job.x});
}

template <int Passes, class T>
void launch(const Gemv4& from, int warps, Stream stream) {
  const Job job{from.packed,
                from.scales,
                from.codebook,
                from.low_nibble_first,
                static_cast<int>(from.rows),
                static_cast<int>(from.columns),
                std::countr_zero(static_cast<uint64_t>(from.group)),
                warps,
                from.x,
                from.bias,
                from.bias_apart,
                from.y};
  const int64_t wanted = quotient_up(from.rows * warps, kWarps);
  const auto blocks = static_cast<int>(std::min<int64_t>(wanted, current_device().multiprocessors));
  launch_after_previous(one_row_kernel<Passes, T>, blocks, kThreads, 0, stream, job);
}

}  // namespace

void step_product4(const Gemv4& job, Stream stream) {
  if (!has_kernel(job)) return gemv4(job, stream);
  const int warps = warps_of_row(job.columns);
  const int64_t passes = quotient_up(quotient_up(job.columns, kPassCodes), warps);
  with_element(job.element, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    if (passes <= 2) return launch<2, T>(job, warps, stream);
    launch<3, T>(job, warps, stream);
  });
}

}  // namespace qspec::cuda
