// What products of packed weights with a few rows of x work on: see gemv_kernel.cuh.

#pragma once

#include <cuda_fp16.h>

#include <bit>
#include <cstdint>

#include "engine/kernels/dequantize4.h"
#include "engine/kernels/gemv_bias.cuh"

namespace qspec::cuda::gemv {

inline constexpr int kTileRows = 16;  // of the weight, as tensor cores take them
inline constexpr int kTileBatch = 8;  // rows of x, likewise
inline constexpr int kChunk = 64;     // columns that are multiplied in one go
inline constexpr int kHalf = kChunk / 2;
inline constexpr int kMostWarps = 16;

struct Job {
  const uint8_t* codes;
  const float* scales;
  const float* offsets;  // null, or for each scale what is subtracted from its values before, or
  bool are_shifts;       // what is added to them after scaling
  Codebook16 codebook;   // of 4 bits
  bool low_nibble_first;
  int rows, chunks;
  int panels, panel_chunks;  // x is held in registers a panel at a time
  int block_rows;            // that take their turn with every panel
  int log2_group;            // halves or chunks that share a scale, as a power of two
  int log2_group_rows;       // rows that do
  int scales_per_row;
  bool has_wide_scales;  // four neighbours can be copied at once, and are of as many chunks or
                         // halves
  const void* x;         // [batch, columns]
  Element element;
  int batch;
  Bias bias;
  void* y;  // [batch, rows]
};

// Of a group that is a power of two, or all columns: what it takes from the number of a half to
// that of its group, or from that of a chunk where those are not shared by halves.
inline int log2_group(int64_t group, int64_t columns) {
  if (group >= columns) return 31;
  const int halves = std::countr_zero(static_cast<uint64_t>(group)) - 5;
  return halves == 0 ? 0 : halves - 1;
}

// Chunks first.. of a row, `count` of them: those that a warp takes of a panel.
struct Chunks {
  __device__ Chunks(const Job& job, int panel, int warp, int warps) {
    const int begin = panel * job.panel_chunks, all = min(job.panel_chunks, job.chunks - begin);
    first = begin + all * warp / warps;
    count = begin + all * (warp + 1) / warps - first;
  }
  int first, count;
};

// Where a thread block is: steps of some rows in a panel, panels of a block of rows, blocks.
struct Walk {
  __device__ Walk(const Job& job, int rows_of_step)
      : rows_of_step(rows_of_step),
        block(static_cast<int>(int64_t{job.rows} * blockIdx.x / gridDim.x)),
        end(static_cast<int>(int64_t{job.rows} * (blockIdx.x + 1) / gridDim.x)),
        block_end(min(end, block + job.block_rows)),
        row(block) {}

  __device__ bool is_done() const { return block >= end; }
  __device__ int rows() const { return min(rows_of_step, block_end - row); }
  __device__ bool begins_panel() const { return row == block; }

  // True when it begins a panel.
  __device__ bool advance(const Job& job) {
    row += rows_of_step;
    if (row < block_end) return false;
    if (++panel == job.panels) {
      panel = 0;
      block = block_end;
      block_end = min(end, block + job.block_rows);
    }
    row = block;
    return true;
  }

  int rows_of_step;
  int block, end, block_end, row;
  int panel = 0;
};

}  // namespace qspec::cuda::gemv
