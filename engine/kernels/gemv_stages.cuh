// A packed weight on its way into shared memory: see gemv_kernel.cuh.

#pragma once

#include <cstdint>

#include "engine/kernels/async_copy.cuh"
#include "engine/kernels/gemv_job.cuh"

namespace qspec::cuda::gemv {

// What a warp has of a step: chunks of some rows, with a scale, and where there are some an offset,
// for each chunk or each half of one.
template <class CodesOf, int kChunksOf, int kRowsOf, bool kHalfScales, bool kHasOffsets>
struct alignas(16) Stage {
  using Codes = CodesOf;
  static constexpr int kChunks = kChunksOf, kRows = kRowsOf;
  static constexpr int kChunkBytes = kChunk * Codes::kBits / 8;
  // The four lanes of a row take a quarter of each half; rows are that much apart in banks.
  static constexpr int kRowBytes = kChunkBytes * kChunks + kChunkBytes / 2;
  static constexpr int kOfChunk = kHalfScales ? 2 : 1;
  static constexpr int kScales = kChunks * kOfChunk;

  unsigned char codes[kRows][kRowBytes];
  float scales[kRows][kScales];
  float offsets[kHasOffsets ? kRows : 1][kScales];

  // The lane's 8 codes of a half of chunk c, of row g of the step.
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
};

// A warp's copies, step by step.
template <class Stage, bool kHasOffsets>
class Loader {
 public:
  __device__ explicit Loader(const Job& job)
      : job_(job), at_(job, Stage::kRows), chunks_(job, 0, warp(), warps()) {
    begin_panel();
  }

  // Begins to copy the next step, if there is one.
  __device__ void load_next(Stage& stage) {
    if (!at_.is_done()) {
      const int rows = at_.rows();
      const bool are_all = rows == Stage::kRows && chunks_.count == Stage::kChunks;
      if (are_all) {
        load_codes<true>(stage, rows);
      } else {
        load_codes<false>(stage, rows);
      }
      if (are_all && are_wide_) {
        load_wide_scales(stage);
      } else {
        load_scales(stage, rows);
      }
      from_ += Stage::kRows * row_bytes();
      if (at_.advance(job_)) begin_panel();
    }
    commit_copies();
  }

 private:
  static constexpr int kChunkPieces = Stage::kChunkBytes / 16;
  static constexpr int kPieces = kChunkPieces * Stage::kChunks;
  static constexpr int kRowsAtOnce = 32 / kPieces;
  static constexpr int kQuarters = Stage::kScales / 4;  // pieces of 16 bytes in a row's scales

  __device__ static int lane() { return threadIdx.x % 32; }
  __device__ static int warp() { return threadIdx.x / 32; }
  __device__ static int warps() { return blockDim.x / 32; }
  __device__ int64_t row_bytes() const { return int64_t{job_.chunks} * Stage::kChunkBytes; }
  __device__ int first_scale() const { return chunks_.first * Stage::kOfChunk >> job_.log2_group; }

  __device__ void begin_panel() {
    if (at_.is_done()) return;
    chunks_ = Chunks(job_, at_.panel, warp(), warps());
    from_ = job_.codes + (at_.row + lane() / kPieces) * row_bytes() +
            int64_t{chunks_.first} * Stage::kChunkBytes + 16 * (lane() % kPieces);
    are_wide_ = kQuarters > 0 && job_.has_wide_scales && first_scale() % 4 == 0;
  }

  template <bool kAll>
  __device__ void load_codes(Stage& stage, int rows) const {
    const int first = lane() / kPieces, piece = lane() % kPieces;
    const bool is_there = kAll || piece < kChunkPieces * chunks_.count;
    const uint32_t to = shared_address(stage.codes[first] + 16 * piece);
    const uint8_t* from = from_;
#pragma unroll
    for (int i = 0; i < Stage::kRows / kRowsAtOnce; ++i) {
      if (kAll || (is_there && first + i * kRowsAtOnce < rows)) {
        copy_to<16>(to + i * kRowsAtOnce * Stage::kRowBytes, from);
      }
      from += kRowsAtOnce * row_bytes();
    }
  }

  __device__ void load_scales(Stage& stage, int rows) const {
    const int c = lane() % Stage::kScales;
    const int column = (chunks_.first * Stage::kOfChunk + c) >> job_.log2_group;
    if (c >= chunks_.count * Stage::kOfChunk) return;
#pragma unroll
    for (int i = 0; i < (Stage::kRows * Stage::kScales + 31) / 32; ++i) {
      const int row = (i * 32 + lane()) / Stage::kScales;
      if (row >= rows) break;
      const int index = ((at_.row + row) >> job_.log2_group_rows) * job_.scales_per_row + column;
      copy<4>(&stage.scales[row][c], job_.scales + index);
      if constexpr (kHasOffsets) {
        if (job_.offsets != nullptr) copy<4>(&stage.offsets[row][c], job_.offsets + index);
      }
    }
  }

  // The same four at a time, where each chunk or half has its own, and all are there.
  __device__ void load_wide_scales(Stage& stage) const {
    if constexpr (kQuarters > 0) {
      constexpr int kRowsOfPass = 32 / kQuarters;
      const int first = lane() / kQuarters, quarter = lane() % kQuarters;
#pragma unroll
      for (int i = 0; i < (Stage::kRows + kRowsOfPass - 1) / kRowsOfPass; ++i) {
        const int row = first + i * kRowsOfPass;
        if (row >= Stage::kRows) break;
        const int index = (at_.row + row) * job_.scales_per_row + first_scale() + 4 * quarter;
        copy<16>(&stage.scales[row][4 * quarter], job_.scales + index);
        if constexpr (kHasOffsets) {
          if (job_.offsets != nullptr) {
            copy<16>(&stage.offsets[row][4 * quarter], job_.offsets + index);
          }
        }
      }
    }
  }

  const Job& job_;
  Walk at_;
  Chunks chunks_;
  const uint8_t* from_ = nullptr;  // the lane's first piece
  bool are_wide_ = false;
};

}  // namespace qspec::cuda::gemv
