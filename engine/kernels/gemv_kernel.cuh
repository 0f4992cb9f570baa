// Products of a packed weight with a few rows of x. Tensor cores take 16 rows of the weight as one
// operand and 8 rows of x as the columns of the other.
//
// A thread block takes neighbouring rows of the weight, as many as any other, in tiles of 16. Its
// warps share the columns of a tile, and each keeps its part of x in registers; where x is too
// large for that, it is taken in panels. So the thread block reads whole rows, one after the other,
// and memory is asked for nothing else. Each warp copies its codes into shared memory some tiles
// ahead. The warps' sums of a tile are added up in their order, while all work on the next.

#pragma once

#include <algorithm>

#include "engine/kernels/gemv_activations.cuh"
#include "engine/kernels/gemv_codes.cuh"
#include "engine/kernels/gemv_job.cuh"
#include "engine/kernels/gemv_stages.cuh"
#include "engine/kernels/launch.cuh"

namespace qspec::cuda::gemv {

// Which scales there are.
enum class Scaling {
  kChunks,   // of chunks or more
  kOffsets,  // the same, with zeros or shifts
  kHalves,   // of halves of chunks; zeros or shifts if there are some
};

// How a kernel is made: chunks of a warp in a panel, tiles of 16 rows in a step, tiles of x, stages
// of a warp.
template <class CodesOf, Scaling kScalingOf, int kChunksOf, int kRowTilesOf, int kTilesOf,
          int kStagesOf>
struct Form {
  using Codes = CodesOf;
  static constexpr int kChunks = kChunksOf, kRowTiles = kRowTilesOf, kTiles = kTilesOf;
  static constexpr int kStages = kStagesOf;
  static constexpr bool kHalfScales = kScalingOf == Scaling::kHalves;
  static constexpr bool kHasOffsets = kScalingOf != Scaling::kChunks;
  static constexpr int kRows = kRowTiles * kTileRows, kBatch = kTiles * kTileBatch;
  static constexpr int kPlaces = kRows * kBatch;
  static constexpr int kPartBuffers = kPlaces <= 256 ? 2 : 1;  // as room allows

  using StageOf = Stage<Codes, kChunks, kRows, kHalfScales, kHasOffsets>;
  using X = Activations<kChunks, kTiles>;

  // Shared memory; behind it are the stages, [warp][kStages], and sums of panels so far,
  // [block_rows][kBatch].
  struct Shared {
    unsigned char table[Codes::kTableBytes > 0 ? Codes::kTableBytes : 16];
    float parts[kPartBuffers][kMostWarps][kPlaces];  // sums of a step, by each warp
    Factors<kBatch> factors;
  };
};

// Asks for rows that are wanted soon, a line a thread and at most 2. Nothing is read: they may not
// be complete before the previous kernel is.
__device__ inline void prefetch_rows(const Job& job, int begin, int end, int row_bytes) {
  const uint8_t* from = job.codes + int64_t{begin} * row_bytes;
  const int64_t bytes = int64_t{end - begin} * row_bytes;
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    const int64_t at = (int64_t{i} * blockDim.x + threadIdx.x) * 128;
    if (at < bytes) asm volatile("prefetch.global.L2 [%0];" ::"l"(from + at));
  }
}

__device__ inline void multiply(float (&sum)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},"
      "{%0,%1,%2,%3};"
      : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// Sums of a half of x, as a row whose elements are all 1 would have them.
__device__ inline void add_sums(float (&sum)[4], const uint32_t (&x)[4]) {
  constexpr uint32_t kOnes = 0x3c003c00;
  const uint32_t ones[4] = {kOnes, kOnes, kOnes, kOnes};
  multiply(sum, ones, x[0], x[1]);
  multiply(sum, ones, x[2], x[3]);
}

// Sums of a warp's chunks of a tile of 16 rows from `row` of its step on: of rows g and g + 8, and
// rows 2 * t and 2 * t + 1 of each tile of x, for lane 4 * g + t.
template <class Form>
struct Tile {
  const Job& job;
  const typename Form::StageOf& stage;
  const typename Form::Codes& codes;
  int row;
  float y[Form::kTiles][4];

  __device__ void add(int c, const typename Form::X& x) {
    float sums[Form::kTiles][4] = {};
    multiply_half(c, 0, x, sums);
    if constexpr (Form::kHalfScales) scale(2 * c, c, 0, 1, x, sums);
    multiply_half(c, 1, x, sums);
    if constexpr (Form::kHalfScales) {
      scale(2 * c + 1, c, 1, 2, x, sums);
    } else {
      scale(c, c, 0, 2, x, sums);
    }
  }

 private:
  __device__ int upper() const { return row + static_cast<int>(threadIdx.x % 32 / 4); }

  __device__ void multiply_half(int c, int half, const typename Form::X& x,
                                float (&sums)[Form::kTiles][4]) const {
    uint32_t words[2][Form::Codes::kBits / 4];
    stage.read(upper(), c, half, words[0]);
    stage.read(upper() + 8, c, half, words[1]);
#pragma unroll
    for (int step = 0; step < 2; ++step) {
      uint32_t a[4];
      codes.decode(words[0], step, a[0], a[2]);
      codes.decode(words[1], step, a[1], a[3]);
#pragma unroll
      for (int tile = 0; tile < Form::kTiles; ++tile) {
        const auto& b = x.words[tile][c][half];
        multiply(sums[tile], a, b[2 * step], b[2 * step + 1]);
      }
    }
  }

  // Takes sums of products, of halves first to end of chunk c, into y, and clears them.
  __device__ void scale(int at, int c, int first, int end, const typename Form::X& x,
                        float (&sums)[Form::kTiles][4]) {
    float scales[2];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      scales[i] = stage.scales[upper() + 8 * i][at] * Form::Codes::factor();
    }
#pragma unroll
    for (int tile = 0; tile < Form::kTiles; ++tile) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        y[tile][i] = fmaf(sums[tile][i], scales[i / 2], y[tile][i]);
        sums[tile][i] = 0;
      }
    }
    if constexpr (Form::kHasOffsets) {
      if (job.offsets != nullptr) add_offsets(at, c, first, end, x, scales);
    }
  }

  __device__ void add_offsets(int at, int c, int first, int end, const typename Form::X& x,
                              const float (&scales)[2]) {
    float offsets[2];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const float offset = stage.offsets[upper() + 8 * i][at];
      offsets[i] = job.are_shifts ? offset : -offset * scales[i];
    }
#pragma unroll
    for (int tile = 0; tile < Form::kTiles; ++tile) {
      float sum[4] = {};
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        if (half >= first && half < end) add_sums(sum, x.words[tile][c][half]);
      }
#pragma unroll
      for (int i = 0; i < 4; ++i) y[tile][i] = fmaf(sum[i], offsets[i / 2], y[tile][i]);
    }
  }
};

// Where element (row, batch row) of a tile lies among the parts of a step: no two lanes want the
// same bank, neither when fragments are stored nor when columns are added up.
__device__ inline int place_of(int row, int b) {
  return row * kTileBatch + (b ^ (row / 4 % 4 * 2));
}

// Parts of a step are [tile of x][row][batch row].
template <class Form>
__device__ void store_part(const Tile<Form>& tile, float* part) {
  const int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
#pragma unroll
  for (int i = 0; i < Form::kTiles; ++i) {
    float* to = part + i * Form::kRows * kTileBatch;
    const float* y = tile.y[i];
    *reinterpret_cast<float2*>(to + place_of(tile.row + g, 2 * t)) = make_float2(y[0], y[1]);
    *reinterpret_cast<float2*>(to + place_of(tile.row + g + 8, 2 * t)) = make_float2(y[2], y[3]);
  }
}

template <class T>
__device__ void store_as(const Job& job, int row, int b, float value) {
  static_cast<T*>(job.y)[int64_t{b} * job.rows + row] = job.bias.operator()<T>(value, row);
}

__device__ inline void store(const Job& job, int row, int b, float value) {
  if (job.element == Element::kFloat32) return store_as<float>(job, row, b, value);
  if (job.element == Element::kFloat16) return store_as<__half>(job, row, b, value);
  store_as<__nv_bfloat16>(job, row, b, value);
}

// Takes the sum of an element, of this panel, to the sums so far or to the result.
template <class Form>
__device__ void finish_element(const Job& job, const Walk& at, int row, int b, float sum,
                               const typename Form::Shared& shared, float* sums) {
  if (job.panels > 1) {
    float& so_far = sums[(at.row - at.block + row) * Form::kBatch + b];
    if (at.panel > 0) sum += so_far;
    so_far = sum;
    if (at.panel + 1 < job.panels) return;
  }
  store(job, at.row + row, b, sum * shared.factors.down[b]);
}

// Adds up the parts of step number n, in the order of the warps. Where few threads do it, others do
// it each time.
template <class Form>
__device__ void finish_step(const Job& job, const Walk& at, int n,
                            const typename Form::Shared& shared, float* sums) {
  const auto& parts = shared.parts[n % Form::kPartBuffers];
  const int threads = blockDim.x;  // a power of two
  const int first = (static_cast<int>(threadIdx.x) - n * Form::kPlaces) & (threads - 1);
  for (int i = first; i < Form::kPlaces; i += threads) {
    const int row = i % Form::kRows, b = i / Form::kRows;
    if (row >= at.rows() || b >= job.batch) continue;
    const int place = b / kTileBatch * Form::kRows * kTileBatch + place_of(row, b % kTileBatch);
    float sum = 0;
#pragma unroll
    for (int warp = 0; warp < kMostWarps; ++warp) {
      if (warp < threads / 32) sum += parts[warp][place];
    }
    finish_element<Form>(job, at, row, b, sum, shared, sums);
  }
}

// A step of a warp.
template <class Form>
__device__ void multiply_step(const Job& job, const typename Form::StageOf& stage,
                              const typename Form::Codes& codes, const typename Form::X& x,
                              int chunks, float* part) {
#pragma unroll
  for (int r = 0; r < Form::kRowTiles; ++r) {
    Tile<Form> tile{job, stage, codes, r * kTileRows, {}};
    if (chunks == Form::kChunks) {  // without branches between chunks
#pragma unroll
      for (int c = 0; c < Form::kChunks; ++c) tile.add(c, x);
    } else {
#pragma unroll
      for (int c = 0; c < Form::kChunks; ++c) {
        if (c < chunks) tile.add(c, x);
      }
    }
    store_part(tile, part);
  }
}

template <class Form>
__device__ void prepare_factors(const Job& job, typename Form::Shared& shared) {
  if (job.element == Element::kFloat16) {
    if (threadIdx.x < Form::kBatch) {
      shared.factors.up[threadIdx.x] = shared.factors.down[threadIdx.x] = 1;
    }
  } else {
    scan_x(job, shared.factors);
    __syncthreads();
    find_factors(job, shared.factors);
  }
  __syncthreads();
}

template <class Form>
__global__ void __launch_bounds__(32 * kMostWarps, 1) kernel(const __grid_constant__ Job job) {
  extern __shared__ __align__(128) unsigned char bytes[];
  auto& shared = *reinterpret_cast<typename Form::Shared*>(bytes);
  const int warp = threadIdx.x / 32, warps = blockDim.x / 32;
  auto* all_stages = reinterpret_cast<typename Form::StageOf*>(bytes + sizeof(shared));
  auto* sums = reinterpret_cast<float*>(all_stages + warps * Form::kStages);
  auto* stages = all_stages + warp * Form::kStages;
  Walk now(job, Form::kRows);
  prefetch_rows(job, now.row, min(now.end, now.row + Form::kStages * Form::kRows),
                job.chunks * Form::StageOf::kChunkBytes);
  Form::Codes::fill(job, shared.table);
  Loader<typename Form::StageOf, Form::kHasOffsets> loader(job);
  wait_for_previous_kernel();
  for (int i = 0; i < Form::kStages; ++i) loader.load_next(stages[i]);
  let_next_kernel_begin();
  prepare_factors<Form>(job, shared);
  const typename Form::Codes codes(shared.table);
  typename Form::X x;
  int chunks = 0, stage = 0;
  for (int n = 0; !now.is_done(); ++n) {
    if (now.begins_panel()) {
      const Chunks mine(job, now.panel, warp, warps);
      x.load(job, shared.factors, mine);
      chunks = mine.count;
    }
    wait_for_copies<Form::kStages - 1>();
    multiply_step<Form>(job, stages[stage], codes, x, chunks,
                        shared.parts[n % Form::kPartBuffers][warp]);
    __syncwarp();
    loader.load_next(stages[stage]);
    stage = stage == Form::kStages - 1 ? 0 : stage + 1;
    __syncthreads();
    finish_step<Form>(job, now, n, shared, sums);
    if (Form::kPartBuffers == 1) __syncthreads();
    now.advance(job);
  }
}

// With as many warps as shared memory has room for. False where it has none for `least`.
template <class Form>
bool launch(Job job, Stream stream, int least) {
  constexpr size_t kWarpBytes = Form::kStages * sizeof(typename Form::StageOf);
  constexpr size_t kRowBytes = Form::kBatch * sizeof(float), kFixed = sizeof(typename Form::Shared);
  const Device& device = current_device();
  const auto room = static_cast<size_t>(device.shared_bytes);
  int warps = kMostWarps;
  while (warps >= least && kFixed + warps * kWarpBytes + kTileRows * kRowBytes > room) warps /= 2;
  if (warps < least) return false;
  size_t shared = kFixed + warps * kWarpBytes;
  const int blocks =
      static_cast<int>(std::min<int64_t>(quotient_up(job.rows, kTileRows), device.multiprocessors));
  job.panels = static_cast<int>(quotient_up(job.chunks, warps * Form::kChunks));
  job.panel_chunks = static_cast<int>(quotient_up(job.chunks, job.panels));
  job.block_rows = static_cast<int>(quotient_up(job.rows, blocks));
  if (job.panels > 1) {
    const auto most = static_cast<int>((room - shared) / kRowBytes / kTileRows * kTileRows);
    job.block_rows = std::min(job.block_rows, most);
    shared += job.block_rows * kRowBytes;
  }
  job.has_wide_scales =
      job.log2_group == 0 && job.log2_group_rows == 0 && job.scales_per_row % 4 == 0 &&
      (reinterpret_cast<uintptr_t>(job.scales) | reinterpret_cast<uintptr_t>(job.offsets)) % 16 ==
          0;
  allow_shared(kernel<Form>, shared);
  launch_after_previous(kernel<Form>, blocks, 32 * warps, shared, stream, job);
  return true;
}

// The forms for batches of up to 8, 16, 32 and 64 rows: x fills 64 registers at most, and a step is
// as many chunks for each warp. False where the GPU has too little shared memory.
template <class Codes, Scaling kScaling>
bool launch_for_batch(const Job& job, Stream stream) {
  constexpr int kMost = Codes::kBits == 4 ? 8 : 4;  // chunks of which two stages fit
  constexpr int kRowTiles = kScaling == Scaling::kChunks ? 2 : 1, kStages = 4 - kRowTiles;
  if (job.batch > 32) return launch<Form<Codes, kScaling, 1, 1, 8, 3>>(job, stream, 4);
  if (job.batch > 16) return launch<Form<Codes, kScaling, 2, 1, 4, 3>>(job, stream, 4);
  if (job.batch > 8) return launch<Form<Codes, kScaling, kMost / 2, 1, 2, 3>>(job, stream, 4);
  if (job.chunks > kMost / 2 * kMostWarps &&
      launch<Form<Codes, kScaling, kMost, 1, 1, 2>>(job, stream, kMostWarps)) {
    return true;
  }
  if (job.chunks > kMost / 4 * kMostWarps &&
      launch<Form<Codes, kScaling, kMost / 2, 1, 1, 2>>(job, stream, kMostWarps)) {
    return true;
  }
  return launch<Form<Codes, kScaling, kMost / 4, kRowTiles, 1, kStages>>(job, stream, 4);
}

template <class Codes>
bool launch_for_scales(const Job& job, bool are_halves, Stream stream) {
  if (are_halves) return launch_for_batch<Codes, Scaling::kHalves>(job, stream);
  if (job.offsets != nullptr) return launch_for_batch<Codes, Scaling::kOffsets>(job, stream);
  return launch_for_batch<Codes, Scaling::kChunks>(job, stream);
}

}  // namespace qspec::cuda::gemv
