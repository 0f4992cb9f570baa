// A packed weight on its way into shared memory: see gemv_kernel.cuh.

#pragma once

#include <cstdint>

#include "engine/kernels/async_copy.cuh"
#include "engine/kernels/gemv_job.cuh"

namespace qspec::cuda::gemv {

// What a warp has of a tile: chunks of 16 rows, with a scale, and where there are some an offset,
// for each chunk or each half of one.
template <class Codes, int kChunks, bool kHalfScales>
struct Stage {
  static constexpr int kChunkBytes = kChunk * Codes::kBits / 8;
  // The four lanes of a row take a quarter of each half; rows are that much apart in banks.
  static constexpr int kRowBytes = kChunkBytes * kChunks + kChunkBytes / 2;
  static constexpr int kScales = kChunks * (kHalfScales ? 2 : 1);

  unsigned char codes[kTileRows][kRowBytes];
  float scales[kTileRows][kScales];
  float offsets[kTileRows][kScales];

  // Begins to copy the chunks of rows row.. to row + rows.
  __device__ void load(const Job& job, int row, int rows, const Chunks& chunks) {
    load_codes(job, row, rows, chunks);
    load_scales(job, row, rows, chunks);
  }

  // The lane's 8 codes of a half of chunk c, of row g of the tile.
  __device__ void read(int g, int c, int half, uint32_t (&words)[Codes::kBits / 4]) const {
    const unsigned char* from =
        codes[g] + c * kChunkBytes + half * (kChunkBytes / 2) + threadIdx.x % 4 * (kChunkBytes / 8);
    if constexpr (Codes::kBits == 4) {
      words[0] = *reinterpret_cast<const uint32_t*>(from);
    } else {
      const uint2 both = *reinterpret_cast<const uint2*>(from);
      words[0] = both.x;
      words[1] = both.y;
    }
  }

 private:
  __device__ void load_codes(const Job& job, int row, int rows, const Chunks& chunks) {
    constexpr int kChunkPieces = kChunkBytes / 16, kPieces = kChunkPieces * kChunks;
    constexpr int kRowsAtOnce = 32 / kPieces;
    const int lane = threadIdx.x % 32, piece = lane % kPieces, first = lane / kPieces;
    const int64_t row_bytes = int64_t{job.chunks} * kChunkBytes;
    const uint8_t* from =
        job.codes + (row + first) * row_bytes + int64_t{chunks.first} * kChunkBytes + 16 * piece;
    const uint32_t to = shared_address(codes[first] + 16 * piece);
    const bool is_there = piece < kChunkPieces * chunks.count;
#pragma unroll
    for (int i = 0; i < kTileRows / kRowsAtOnce; ++i) {
      const bool is_row = first + i * kRowsAtOnce < rows;
      if (is_there && is_row) copy_to<16>(to + i * kRowsAtOnce * kRowBytes, from);
      from += kRowsAtOnce * row_bytes;
    }
  }

  __device__ void load_scales(const Job& job, int row, int rows, const Chunks& chunks) {
    constexpr int kOfChunk = kScales / kChunks;
    const int lane = threadIdx.x % 32, c = lane % kScales;
    const int column = (chunks.first * kOfChunk + c) >> job.log2_group;
#pragma unroll
    for (int i = 0; i < (kTileRows * kScales + 31) / 32; ++i) {
      const int at = (i * 32 + lane) / kScales;
      if (at >= rows || c >= chunks.count * kOfChunk) continue;
      const int index = ((row + at) >> job.log2_group_rows) * job.scales_per_row + column;
      copy<4>(&scales[at][c], job.scales + index);
      if (job.offsets != nullptr) copy<4>(&offsets[at][c], job.offsets + index);
    }
  }
};

}  // namespace qspec::cuda::gemv
