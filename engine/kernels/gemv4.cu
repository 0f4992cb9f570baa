// Tensor cores take 16 rows of the weight as one operand and the rows of x as the 8 columns of the
// other. A byte of codes is two neighbouring elements of a row, which is what a register of that
// operand holds: one look into a table unpacks and decodes it. There is a table for each lane, so
// that no two lanes want the same bank.
//
// A thread block takes neighbouring tiles of 16 rows; its warps share the units of 256 columns of
// these evenly. A tile that several warps worked on is added up at the end, in their order. Each
// warp copies its codes into shared memory, two units ahead: whole lines at a time, where registers
// would take a quarter of a line from each of 8 rows, and tags were what it waited for.

#include <cuda_fp16.h>

#include <bit>
#include <type_traits>

#include "engine/kernels/gemv4.h"
#include "engine/kernels/gemv4_activations.cuh"
#include "engine/kernels/gemv4_units.cuh"
#include "engine/kernels/launch.cuh"

namespace qspec::cuda {
namespace {

using namespace gemv;

constexpr int kMostWarps = 16;  // of a thread block; fewer where shared memory is scarce
constexpr int kTileValues = kTileRows * static_cast<int>(Gemv4::kMostBatch);

// Shared memory: the table, [byte][lane] of two float16, and the stages, [warp][kStages]. In place
// of these at the end: sums of the tile that a warp began within, and of the one that it ended
// within.
constexpr size_t kTableBytes = 256 * 32 * sizeof(uint32_t);
constexpr size_t kWarpBytes = kStages * sizeof(Stage);

struct Parts {
  float first[kTileValues];
  float last[kTileValues];
};
static_assert(sizeof(Parts) <= kWarpBytes);

__device__ uint32_t pair_of(const Codebook16& codebook, int byte, bool low_first) {
  const float high = codebook.value[byte >> 4], low = codebook.value[byte & 15];
  return low_first ? pack(low, high, static_cast<const __half*>(nullptr))
                   : pack(high, low, static_cast<const __half*>(nullptr));
}

__device__ void multiply(float (&sum)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},"
      "{%0,%1,%2,%3};"
      : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// The two elements of byte `byte` of `word`; `table` is the address of the lane's own.
__device__ uint32_t looked_up(uint32_t table, uint32_t word, int byte) {
  uint32_t pair;
  asm("ld.shared.b32 %0, [%1];" : "=r"(pair) : "r"((word >> 8 * byte & 255) * 128 + table));
  return pair;
}

// x of a chunk: the 16 columns of lane 4 * g + t, of batch row g. Rows that are not there repeat
// the last, and what comes of them is not written; of chunks that are not there, any will do.
__device__ void load_x(const Job& job, int chunk, uint4 (&x)[2]) {
  const int lane = threadIdx.x % 32, row = min(job.batch - 1, lane / 4);
  const auto* from = reinterpret_cast<const uint4*>(job.x + int64_t{row} * job.chunks * kChunk +
                                                    chunk * kChunk + 16 * (lane % 4));
  const bool is_there = chunk < job.chunks;
  x[0] = is_there ? __ldg(from) : make_uint4(0, 0, 0, 0);
  x[1] = is_there ? __ldg(from + 1) : make_uint4(0, 0, 0, 0);
}

// The two words of x that go with bytes 2 * i and 2 * i + 1.
__device__ uint2 words_of(const uint4 (&x)[2], int i) {
  const uint4& four = x[i / 2];
  return i % 2 == 0 ? make_uint2(four.x, four.y) : make_uint2(four.z, four.w);
}

__device__ float part_of(const float4& four, int i) {
  return i == 0 ? four.x : i == 1 ? four.y : i == 2 ? four.z : four.w;
}

// Takes zero * (sum of x) from the sums of a chunk.
__device__ void take_zeros(const Job& job, const Stage& stage, int c, int chunk, float (&sum)[4]) {
  const int lane = threadIdx.x % 32;
  if (chunk >= job.chunks) return;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int column = min(job.batch - 1, lane % 4 * 2 + i % 2);
    sum[i] -= part_of(stage.zeros[lane / 4 + 8 * (i / 2)], c) *
              __ldg(job.sums + column * job.chunks + chunk);
  }
}

// Lane 4 * g + t takes bytes 8 * t to 8 * t + 7 of each chunk's 32, of rows g and g + 8.
__device__ void add_unit(const Job& job, uint32_t table, const Stage& stage, int first_chunk,
                         float (&y)[4]) {
  const int lane = threadIdx.x % 32;
  uint2 codes[2][kChunks];
  uint4 x[kChunks][2];
  float sums[kChunks][4] = {};
#pragma unroll
  for (int c = 0; c < kChunks; ++c) {
    load_x(job, first_chunk + c, x[c]);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      codes[half][c] = *reinterpret_cast<const uint2*>(stage.codes[lane / 4 + 8 * half] +
                                                       c * (kChunk / 2) + lane % 4 * 8);
    }
  }
#pragma unroll
  for (int i = 0; i < 4; ++i) {
#pragma unroll
    for (int c = 0; c < kChunks; ++c) {
      uint32_t a[4];
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const uint32_t word = i < 2 ? codes[half][c].x : codes[half][c].y;
        a[half] = looked_up(table, word, 2 * (i % 2));
        a[half + 2] = looked_up(table, word, 2 * (i % 2) + 1);
      }
      const uint2 b = words_of(x[c], i);
      multiply(sums[c], a, b.x, b.y);
    }
  }
  const float4 low = stage.scales[lane / 4], high = stage.scales[lane / 4 + 8];
#pragma unroll
  for (int c = 0; c < kChunks; ++c) {
    if (job.zeros != nullptr) take_zeros(job, stage, c, first_chunk + c, sums[c]);
#pragma unroll
    for (int i = 0; i < 4; ++i) y[i] = fmaf(sums[c][i], part_of(i < 2 ? low : high, c), y[i]);
  }
}

// Where element i of a lane's four sums lies in a tile, [row][column].
__device__ int place_of(int i) {
  const int lane = threadIdx.x % 32;
  return (lane / 4 + 8 * (i / 2)) * static_cast<int>(Gemv4::kMostBatch) + lane % 4 * 2 + i % 2;
}

template <class T>
__device__ void store(const Job& job, int tile, int place, float value, T* y) {
  const int row = tile * kTileRows + place / static_cast<int>(Gemv4::kMostBatch);
  const int column = place % static_cast<int>(Gemv4::kMostBatch);
  if (row >= job.rows || column >= job.batch) return;
  const float factor = job.factors != nullptr ? job.factors[column] : 1.0f;
  y[int64_t{column} * job.rows + row] = with_bias<T>(value * factor, job.bias, job.bias_apart, row);
}

// Units begin..end-1 of those of a thread block, of `warp`.
struct Range {
  __device__ Range(int units, int warp, int warps)
      : begin(units * warp / warps), end(units * (warp + 1) / warps) {}
  int begin;
  int end;
};

// The tiles of a thread block.
struct Tiles {
  __device__ explicit Tiles(int tiles)
      : first(static_cast<int>(int64_t{tiles} * blockIdx.x / gridDim.x)),
        count(static_cast<int>(int64_t{tiles} * (blockIdx.x + 1) / gridDim.x) - first) {}
  int first;
  int count;
};

// Sums of tiles that a warp shares with others: the one that it began within, and the one that it
// ended within.
struct Partial {
  float first[4] = {};
  float last[4] = {};
};

// The sums of a tile are complete, or a part.
template <class T>
__device__ void finish_tile(const Job& job, const Tiles& tiles, const Range& range, int tile,
                            const float (&y)[4], Partial& partial, T* to) {
  const int begin = tile * job.units_of_tile;
  const bool has_begin = range.begin <= begin, has_end = range.end >= begin + job.units_of_tile;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    if (has_begin && has_end) {
      store(job, tiles.first + tile, place_of(i), y[i], to);
    } else if (!has_begin) {
      partial.first[i] = y[i];
    } else {
      partial.last[i] = y[i];
    }
  }
}

// Adds up the tiles that warps share, in the order of the warps.
template <class T>
__device__ void join_tiles(const Job& job, const Parts* parts, const Tiles& tiles, T* to) {
  const int units = tiles.count * job.units_of_tile, warps = blockDim.x / 32;
  for (int i = threadIdx.x; i < tiles.count * kTileValues; i += blockDim.x) {
    const int tile = i / kTileValues, place = i % kTileValues;
    const int begin = tile * job.units_of_tile, end = begin + job.units_of_tile;
    float sum = 0;
    bool is_shared = false;
    for (int warp = 0; warp < warps; ++warp) {
      const Range range(units, warp, warps);
      if (range.begin >= range.end || range.end <= begin || range.begin >= end) continue;
      if (range.begin <= begin && range.end >= end) break;  // it was stored
      sum += range.begin > begin ? parts[warp].first[place] : parts[warp].last[place];
      is_shared = true;
    }
    if (is_shared) store(job, tiles.first + tile, place, sum, to);
  }
}

// The next unit that a warp copies.
struct Cursor {
  int tile;
  int unit;

  __device__ void advance(const Job& job) {
    if (++unit < job.units_of_tile) return;
    unit = 0;
    ++tile;
  }
};

template <class T>
__global__ void __launch_bounds__(32 * kMostWarps, 1)
    gemv4_kernel(const __grid_constant__ Job job, T* __restrict__ to) {
  extern __shared__ __align__(16) unsigned char bytes[];
  auto* entries = reinterpret_cast<uint32_t*>(bytes);
  auto* all_stages = reinterpret_cast<Stage*>(bytes + kTableBytes);
  const Tiles tiles(job.tiles);
  const int warp = threadIdx.x / 32;
  const Range range(tiles.count * job.units_of_tile, warp, blockDim.x / 32);
  Cursor ahead{range.begin / job.units_of_tile, range.begin % job.units_of_tile}, now = ahead;
  Stage* stages = all_stages + warp * kStages;
  const auto load_ahead = [&](int unit, int stage) {
    if (unit < range.end) {
      load(job, tiles.first + ahead.tile, ahead.unit * kChunks, stages[stage]);
      ahead.advance(job);
    }
    commit();
  };
  for (int i = 0; i < kStages - 1; ++i) load_ahead(range.begin + i, i);
  for (int i = threadIdx.x; i < 256 * 32; i += blockDim.x) {
    entries[i] = pair_of(job.codebook, i / 32, job.low_nibble_first);
  }
  __syncthreads();
  const uint32_t table = shared_address(entries + threadIdx.x % 32);
  float y[4] = {};
  Partial partial;
  int stage = 0;
  for (int u = range.begin; u < range.end; ++u) {
    wait_for_oldest();
    load_ahead(u + kStages - 1, stage == 0 ? kStages - 1 : stage - 1);
    add_unit(job, table, stages[stage], now.unit * kChunks, y);
    stage = stage == kStages - 1 ? 0 : stage + 1;
    const int tile = now.tile;
    now.advance(job);
    if (now.tile == tile && u + 1 < range.end) continue;
    finish_tile(job, tiles, range, tile, y, partial, to);
#pragma unroll
    for (int i = 0; i < 4; ++i) y[i] = 0;
  }
  __syncthreads();
  auto* parts = reinterpret_cast<Parts*>(all_stages);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    parts[warp].first[place_of(i)] = partial.first[i];
    parts[warp].last[place_of(i)] = partial.last[i];
  }
  __syncthreads();
  join_tiles(job, parts, tiles, to);
}

// Any shape: a warp for each row of the weight.
template <class T>
__global__ void __launch_bounds__(256)
    gemv4_any_kernel(const __grid_constant__ Gemv4 job, const T* __restrict__ x,
                     T* __restrict__ to) {
  const int64_t row = (int64_t{blockIdx.x} * 256 + threadIdx.x) / 32;
  if (row >= job.rows) return;
  float sums[Gemv4::kMostBatch] = {};
  for (int64_t k = threadIdx.x % 32; k < job.columns; k += 32) {
    const int64_t i = row * job.columns + k;
    const uint8_t byte = job.packed[i / 2];
    const bool is_high = (i % 2 == 0) != job.low_nibble_first;
    const int64_t group =
        job.scales_per_row > 0 ? row * job.scales_per_row + k / job.group : i / job.group;
    const float zero = job.zeros != nullptr ? job.zeros[group] : 0.0f;
    const float weight =
        (job.codebook.value[is_high ? byte >> 4 : byte & 15] - zero) * job.scales[group];
    for (int b = 0; b < Gemv4::kMostBatch; ++b) {
      if (b < job.batch) sums[b] = fmaf(weight, to_float(x[b * job.columns + k]), sums[b]);
    }
  }
  for (int b = 0; b < job.batch; ++b) {
    for (int by = 16; by > 0; by /= 2) sums[b] += __shfl_xor_sync(~0u, sums[b], by);
    if (threadIdx.x % 32 == 0) {
      to[b * job.rows + row] = with_bias<T>(sums[b], job.bias, job.bias_apart, row);
    }
  }
}

int64_t groups_per_row(const Gemv4& job) {
  return job.scales_per_row > 0 ? job.scales_per_row : job.columns / job.group;
}

bool is_quick(const Gemv4& job) {
  const auto address = [](const void* p) { return reinterpret_cast<uintptr_t>(p); };
  const int64_t group_chunks = job.group / kChunk;
  return job.columns % kChunk == 0 && job.group % kChunk == 0 &&
         std::has_single_bit(static_cast<uint64_t>(group_chunks)) &&
         (job.scales_per_row > 0 || job.columns % job.group == 0) &&
         job.rows * groups_per_row(job) < INT32_MAX && job.rows < INT32_MAX - kTileRows &&
         address(job.packed) % 16 == 0 && address(job.x) % 16 == 0;
}

// The parts of the workspace.
struct Prepared {
  explicit Prepared(const Gemv4& job)
      : factors(static_cast<float*>(job.workspace)),
        sums(factors + Gemv4::kMostBatch),
        halves(reinterpret_cast<__half*>(sums + Gemv4::kMostBatch * quotient_up(job.columns, 16))) {
  }
  float* factors;
  float* sums;
  __half* halves;
};

template <class T>
void launch_quick(const Gemv4& job, const T* x, T* y, Stream stream) {
  const Prepared prepared(job);
  const bool is_direct = std::is_same_v<T, __half> && job.zeros == nullptr;
  if (!is_direct) {
    prepare_kernel<<<static_cast<int>(job.batch), kPrepareThreads, 0, stream>>>(
        x, static_cast<int>(job.columns), prepared.halves, prepared.factors,
        job.zeros != nullptr ? prepared.sums : nullptr);
    check(cudaGetLastError(), "launching the scaling of activations");
  }
  Job quick{};
  quick.packed = job.packed;
  quick.scales = job.scales;
  quick.zeros = job.zeros;
  quick.codebook = job.codebook;
  quick.low_nibble_first = job.low_nibble_first;
  quick.rows = static_cast<int>(job.rows);
  quick.chunks = static_cast<int>(job.columns / kChunk);
  quick.units_of_tile = static_cast<int>(quotient_up(quick.chunks, kChunks));
  quick.tiles = static_cast<int>(quotient_up(job.rows, kTileRows));
  quick.log2_group_chunks = std::countr_zero(static_cast<uint64_t>(job.group / kChunk));
  quick.scales_per_row = static_cast<int>(groups_per_row(job));
  quick.x = is_direct ? reinterpret_cast<const __half*>(x) : prepared.halves;
  quick.factors = is_direct ? nullptr : prepared.factors;
  quick.sums = prepared.sums;
  quick.batch = static_cast<int>(job.batch);
  quick.bias = job.bias;
  quick.bias_apart = job.bias_apart;
  const auto kernel = gemv4_kernel<T>;
  const Device& device = current_device();
  const auto fit = static_cast<int>((device.shared_bytes - kTableBytes) / kWarpBytes);
  const int warps = std::min(kMostWarps, fit);
  const size_t shared = kTableBytes + warps * kWarpBytes;
  allow_shared(kernel, shared);
  kernel<<<std::min(quick.tiles, device.multiprocessors), 32 * warps, shared, stream>>>(quick, y);
}

}  // namespace

size_t gemv4_workspace_bytes(int64_t columns) {
  const int64_t floats = Gemv4::kMostBatch * (1 + quotient_up(columns, 16));
  return static_cast<size_t>(4 * floats + 2 * Gemv4::kMostBatch * columns);
}

void gemv4(const Gemv4& job, Stream stream) {
  if (job.rows == 0 || job.batch == 0) return;
  with_element(job.element, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const auto* x = static_cast<const T*>(job.x);
    if (is_quick(job)) return launch_quick(job, x, static_cast<T*>(job.y), stream);
    const auto blocks = static_cast<unsigned>(quotient_up(job.rows, 256 / 32));
    gemv4_any_kernel<<<blocks, 256, 0, stream>>>(job, x, static_cast<T*>(job.y));
  });
  check(cudaGetLastError(), "launching a product with 4-bit codes");
}

}  // namespace qspec::cuda
