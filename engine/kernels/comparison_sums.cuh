// ComparisonSums of parts, and how two become one.

#pragma once

#include <cstdint>

#include "engine/kernels/compare.h"

namespace qspec::cuda {

// Of elements in ascending order, the histogram apart.
struct PartSums {
  int64_t nonfinite_decoded = 0, nonfinite_baseline = 0;
  double baseline_squares = 0, error_squares = 0, cross = 0;
  double max_abs_error = 0;
  int64_t max_error_index = -1;
  int64_t worst_block = -1;
  double worst_error_squares = 0, worst_baseline_squares = 0;
  int64_t zero_scales = 0, nonfinite_scales = 0;

  __device__ void note_error(double error, int64_t index) {
    const bool is_first = error == max_abs_error && index < max_error_index;
    if (error <= max_abs_error && !is_first) return;
    max_abs_error = error;
    max_error_index = index;
  }

  // The worst has the largest errors / squares; the first of those that are as bad.
  __device__ void note_block(int64_t block, double errors, double squares) {
    if (!(errors > 0)) return;
    const double mine = worst_error_squares * squares, its = errors * worst_baseline_squares;
    const bool is_worse = worst_block < 0 || its > mine || (its == mine && block < worst_block);
    if (!is_worse) return;
    worst_block = block;
    worst_error_squares = errors;
    worst_baseline_squares = squares;
  }

  __device__ void merge(const PartSums& other) {
    nonfinite_decoded += other.nonfinite_decoded;
    nonfinite_baseline += other.nonfinite_baseline;
    baseline_squares += other.baseline_squares;
    error_squares += other.error_squares;
    cross += other.cross;
    zero_scales += other.zero_scales;
    nonfinite_scales += other.nonfinite_scales;
    if (other.max_error_index >= 0) note_error(other.max_abs_error, other.max_error_index);
    if (other.worst_block >= 0) {
      note_block(other.worst_block, other.worst_error_squares, other.worst_baseline_squares);
    }
  }
};

// The same value of the lane `by` further up.
template <class T>
__device__ T shuffled_down(const T& value, int by) {
  static_assert(sizeof(T) % 4 == 0);
  T result;
  const auto* from = reinterpret_cast<const uint32_t*>(&value);
  auto* to = reinterpret_cast<uint32_t*>(&result);
#pragma unroll
  for (size_t i = 0; i < sizeof(T) / 4; ++i) to[i] = __shfl_down_sync(~0u, from[i], by);
  return result;
}

// Lane 0 gets the sums of the warp.
__device__ inline void merge_warp(PartSums& sums) {
#pragma unroll
  for (int by = 16; by > 0; by /= 2) sums.merge(shuffled_down(sums, by));
}

}  // namespace qspec::cuda
