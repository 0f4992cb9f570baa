#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "engine/tensor/float_source.h"

namespace qspec {

// How far decoded values q lie from their baseline r; e = q - r. The formulas of the metrics are
// here and nowhere else. Sums run over the elements that are finite in both.
struct Comparison {
  int64_t count = 0;
  int64_t blocks = 0;
  int64_t nonfinite_decoded = 0;
  int64_t nonfinite_baseline = 0;
  double baseline_squares = 0;   // sum of r^2
  double error_squares = 0;      // sum of e^2
  double cross = 0;              // sum of r * e
  double max_abs_error = 0;      // largest |e|
  int64_t max_error_index = -1;  // of the first such element, flattened from 0; -1: all equal
  int64_t worst_block = -1;      // with the largest sum e^2 / sum r^2, from 0; -1: all equal
  double worst_error_squares = 0;
  double worst_baseline_squares = 0;

  // A value that is not a number is an error without bound: with one, sqnr_db is -infinity, cosine
  // 0 and nmse +infinity.
  bool all_finite() const { return nonfinite_decoded == 0 && nonfinite_baseline == 0; }
  // 10 * log10(sum r^2 / sum e^2); +infinity when all are equal.
  double sqnr_db() const;
  // The same of the worst block alone.
  double worst_block_sqnr_db() const;
  // sum r * q / sqrt(sum r^2 * sum q^2); 1 when both are all zeros, 0 when one is. Taken from r and
  // e, as r * q = r^2 + r * e and q^2 = r^2 + 2 * r * e + e^2: near 1 that keeps its digits.
  double cosine() const;
  // sum e^2 / sum r^2; 0 when all are equal.
  double nmse() const;
  // sum r * q / sum r^2: 1.05 when the decoded values are 5 % too large; 1 when r is all zeros.
  double gain() const;
  // sum r^2 of the worst block over that of an average one; 0 when all are equal.
  double worst_block_power() const;
};

// One pass over `count` elements in blocks of `block_size` (any; the last may be short), sources
// read in stretches that begin with a block or, where a block is longer than kStretch, within one.
// The result does not depend on the number of threads or on the instruction set.
Comparison compare(const FloatSource& decoded, const FloatSource& baseline, int64_t count,
                   int64_t block_size);

// Throws Error(kSpec) when the shapes differ.
Comparison compare(const at::Tensor& decoded, const at::Tensor& baseline, int64_t block_size = 64);

// Throws Error(kSpec) when `baseline` is not of `shape`.
void check_same_shape(at::IntArrayRef shape, const at::Tensor& baseline);

}  // namespace qspec
