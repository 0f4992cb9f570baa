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
  const void* x;  // [batch, columns]
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

// Where a thread block is: tiles of a panel, panels of a block of rows, blocks.
struct Walk {
  __device__ explicit Walk(const Job& job)
      : block(static_cast<int>(int64_t{job.rows} * blockIdx.x / gridDim.x)),
        end(static_cast<int>(int64_t{job.rows} * (blockIdx.x + 1) / gridDim.x)),
        row(block) {}

  __device__ bool is_done() const { return row >= end; }
  __device__ int rows(const Job& job) const {
    return min(kTileRows, min(end, block + job.block_rows) - row);
  }
  __device__ bool begins_panel() const { return row == block; }

  __device__ void advance(const Job& job) {
    row += kTileRows;
    if (row < min(end, block + job.block_rows)) return;
    if (++panel < job.panels) {
      row = block;
      return;
    }
    panel = 0;
    block += job.block_rows;
    row = block;
  }

  int block, end, row;
  int panel = 0;
};

}  // namespace qspec::cuda::gemv
