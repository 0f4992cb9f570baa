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

// How a kernel is made: chunks of a warp in a panel, tiles of x, stages of a warp.
template <class CodesOf, int kChunksOf, int kTilesOf, int kStagesOf, bool kHalfScalesOf>
struct Form {
  using Codes = CodesOf;
  static constexpr int kChunks = kChunksOf, kTiles = kTilesOf, kStages = kStagesOf;
  static constexpr bool kHalfScales = kHalfScalesOf;
  static constexpr int kBatch = kTiles * kTileBatch;
  static constexpr int kPlaces = kTileRows * kBatch;
  static constexpr int kPartBuffers = kTiles <= 2 ? 2 : 1;  // as room allows

  using StageOf = Stage<Codes, kChunks, kHalfScales>;

  // Shared memory; behind it are the stages, [warp][kStages], and sums of panels so far,
  // [block_rows][kBatch].
  struct Shared {
    unsigned char table[Codes::kTableBytes > 0 ? Codes::kTableBytes : 16];
    float parts[kPartBuffers][kMostWarps][kPlaces];  // sums of a tile, by each warp
    Factors<kBatch> factors;
  };
};

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

// Sums of a warp's chunks of a tile: of rows g and g + 8, and rows 2 * t and 2 * t + 1 of each tile
// of x, for lane 4 * g + t.
template <class Form>
struct Tile {
  const Job& job;
  const typename Form::StageOf& stage;
  const typename Form::Codes& codes;
  float y[Form::kTiles][4];

  __device__ void add(int c, const Activations<Form::kChunks, Form::kTiles>& x) {
    float sums[Form::kTiles][4] = {};
    multiply_half(c, 0, x, sums);
    if (Form::kHalfScales) {
      scale(2 * c, sums);
      if (job.offsets != nullptr) add_offsets(2 * c, c, 0, 1, x);
    }
    multiply_half(c, 1, x, sums);
    const int at = Form::kHalfScales ? 2 * c + 1 : c;
    scale(at, sums);
    if (job.offsets != nullptr) add_offsets(at, c, Form::kHalfScales ? 1 : 0, 2, x);
  }

 private:
  __device__ void multiply_half(int c, int half, const Activations<Form::kChunks, Form::kTiles>& x,
                                float (&sums)[Form::kTiles][4]) const {
    const int g = threadIdx.x % 32 / 4;
    uint32_t upper[Form::Codes::kBits / 4], lower[Form::Codes::kBits / 4];
    stage.read(g, c, half, upper);
    stage.read(g + 8, c, half, lower);
#pragma unroll
    for (int step = 0; step < 2; ++step) {
      uint32_t a[4];
      codes.decode(upper, step, a[0], a[2]);
      codes.decode(lower, step, a[1], a[3]);
#pragma unroll
      for (int tile = 0; tile < Form::kTiles; ++tile) {
        const auto& words = x.words[tile][c][half];
        multiply(sums[tile], a, words[2 * step], words[2 * step + 1]);
      }
    }
  }

  // Takes sums of products into y, and clears them.
  __device__ void scale(int at, float (&sums)[Form::kTiles][4]) {
    const int g = threadIdx.x % 32 / 4;
    const float scales[2] = {stage.scales[g][at] * Form::Codes::kFactor,
                             stage.scales[g + 8][at] * Form::Codes::kFactor};
#pragma unroll
    for (int tile = 0; tile < Form::kTiles; ++tile) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        y[tile][i] = fmaf(sums[tile][i], scales[i / 2], y[tile][i]);
        sums[tile][i] = 0;
      }
    }
  }

  // What offsets make of the sums of halves first to end of a chunk of x.
  __device__ void add_offsets(int at, int c, int first, int end,
                              const Activations<Form::kChunks, Form::kTiles>& x) {
    const int g = threadIdx.x % 32 / 4;
    float offsets[2];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const float offset = stage.offsets[g + 8 * i][at];
      offsets[i] = job.are_shifts ? offset : -offset * stage.scales[g + 8 * i][at];
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

// Where element (row, batch row) of a tile lies among the parts of a tile of x: no two lanes want
// the same bank, neither when fragments are stored nor when columns are added up.
__device__ inline int place_of(int row, int b) {
  return row * kTileBatch + (b ^ (row / 4 * 2));
}

template <int kTiles>
__device__ void store_part(const float (&y)[kTiles][4], float* part) {
  const int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
#pragma unroll
  for (int tile = 0; tile < kTiles; ++tile) {
    float* to = part + tile * kTileRows * kTileBatch;
    *reinterpret_cast<float2*>(to + place_of(g, 2 * t)) = make_float2(y[tile][0], y[tile][1]);
    *reinterpret_cast<float2*>(to + place_of(g + 8, 2 * t)) = make_float2(y[tile][2], y[tile][3]);
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

// Takes the sum of a tile's element, of this panel, to the sums so far or to the result.
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

// Adds up the parts of tile number n, in the order of the warps. Where few do it, others do it each
// time.
template <class Form>
__device__ void finish_tile(const Job& job, const Walk& at, int n,
                            const typename Form::Shared& shared, float* sums) {
  const auto& parts = shared.parts[n % Form::kPartBuffers];
  const int threads = blockDim.x;  // a power of two
  const int warps = threads / 32;
  const int first = (static_cast<int>(threadIdx.x) - n * Form::kPlaces) & (threads - 1);
  for (int i = first; i < Form::kPlaces; i += threads) {
    const int row = i % kTileRows, b = i / kTileRows;
    if (row >= at.rows(job) || b >= job.batch) continue;
    const int place = b / kTileBatch * kTileRows * kTileBatch + place_of(row, b % kTileBatch);
    float sum = 0;
#pragma unroll 4
    for (int warp = 0; warp < warps; ++warp) sum += parts[warp][place];
    finish_element<Form>(job, at, row, b, sum, shared, sums);
  }
}

template <class Form>
__global__ void __launch_bounds__(32 * kMostWarps, 1) kernel(const __grid_constant__ Job job) {
  extern __shared__ __align__(128) unsigned char bytes[];
  auto& shared = *reinterpret_cast<typename Form::Shared*>(bytes);
  const int warp = threadIdx.x / 32, warps = blockDim.x / 32;
  auto* all_stages = reinterpret_cast<typename Form::StageOf*>(bytes + sizeof(shared));
  auto* sums = reinterpret_cast<float*>(all_stages + warps * Form::kStages);
  auto* stages = all_stages + warp * Form::kStages;
  Walk now(job), ahead = now;
  const auto load_ahead = [&](int stage) {
    if (!ahead.is_done()) {
      const Chunks chunks(job, ahead.panel, warp, warps);
      stages[stage].load(job, ahead.row, ahead.rows(job), chunks);
      ahead.advance(job);
    }
    commit_copies();
  };
  Form::Codes::fill(job, shared.table);
  wait_for_previous_kernel();
  for (int i = 0; i < Form::kStages; ++i) load_ahead(i);
  let_next_kernel_begin();
  scan_x(job, shared.factors);
  __syncthreads();
  find_factors(job, shared.factors);
  __syncthreads();
  const typename Form::Codes codes(shared.table);
  Activations<Form::kChunks, Form::kTiles> x;
  Chunks chunks(job, 0, warp, warps);
  int stage = 0;
  for (int n = 0; !now.is_done(); ++n) {
    if (now.begins_panel()) {
      chunks = Chunks(job, now.panel, warp, warps);
      x.load(job, shared.factors, chunks);
    }
    wait_for_copies<Form::kStages - 1>();
    Tile<Form> tile{job, stages[stage], codes, {}};
#pragma unroll
    for (int c = 0; c < Form::kChunks; ++c) {
      if (c < chunks.count) tile.add(c, x);
    }
    __syncwarp();
    load_ahead(stage);
    stage = stage == Form::kStages - 1 ? 0 : stage + 1;
    store_part(tile.y, shared.parts[n % Form::kPartBuffers][warp]);
    __syncthreads();
    finish_tile<Form>(job, now, n, shared, sums);
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
  allow_shared(kernel<Form>, shared);
  launch_after_previous(kernel<Form>, blocks, 32 * warps, shared, stream, job);
  return true;
}

// The forms for batches of up to 8, 16, 32 and 64 rows: x fills 64 registers at most. False where
// the GPU has too little shared memory.
template <class Codes, bool kHalfScales>
bool launch_for_batch(const Job& job, Stream stream) {
  constexpr int kMost = Codes::kBits == 4 ? 8 : 4;  // chunks of which two stages fit
  if (job.batch > 32) return launch<Form<Codes, 1, 8, 3, kHalfScales>>(job, stream, 4);
  if (job.batch > 16) return launch<Form<Codes, 2, 4, 3, kHalfScales>>(job, stream, 4);
  if (job.batch > 8) return launch<Form<Codes, kMost / 2, 2, 3, kHalfScales>>(job, stream, 4);
  if (job.chunks > kMost / 2 * kMostWarps &&
      launch<Form<Codes, kMost, 1, 2, kHalfScales>>(job, stream, kMostWarps)) {
    return true;
  }
  if (job.chunks > kMost / 4 * kMostWarps &&
      launch<Form<Codes, kMost / 2, 1, 4, kHalfScales>>(job, stream, kMostWarps)) {
    return true;
  }
  return launch<Form<Codes, kMost / 4, 1, 4, kHalfScales>>(job, stream, 4);
}

}  // namespace qspec::cuda::gemv
