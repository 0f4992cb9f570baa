#include <algorithm>
#include <cmath>

#include "engine/tensor/kernel_versions.h"

namespace qspec {
namespace {

struct Lanes {
  float of[16] = {};

  float fold() const {
    float sums[8];
    for (int j = 0; j < 8; ++j) sums[j] = of[j] + of[j + 8];
    for (int half = 4; half > 0; half /= 2) {
      for (int j = 0; j < half; ++j) sums[j] += sums[j + half];
    }
    return sums[0];
  }
};

}  // namespace

ErrorSums error_sums_plain(const float* r, const float* q, size_t count, size_t block,
                           float* squares, float* errors) {
  Lanes cross;
  float max_abs_error = 0;
  for (size_t begin = 0, b = 0; begin < count; begin += block, ++b) {
    const size_t length = std::min(block, count - begin);
    Lanes block_squares, block_errors;
    for (size_t k = 0; k < length; ++k) {
      const size_t i = begin + k, lane = k % 16;
      const float e = q[i] - r[i];
      block_squares.of[lane] += r[i] * r[i];
      block_errors.of[lane] += e * e;
      cross.of[lane] += r[i] * e;
      max_abs_error = std::fabs(e) > max_abs_error ? std::fabs(e) : max_abs_error;
    }
    squares[b] = block_squares.fold();
    errors[b] = block_errors.fold();
  }
  return {cross.fold(), max_abs_error};
}

MomentSums moment_sums_plain(const float* x, size_t count) {
  Lanes sum, squares;
  MomentSums moments{0, 0, x[0], x[0], 0};
  for (size_t i = 0; i < count; ++i) {
    sum.of[i % 16] += x[i];
    squares.of[i % 16] += x[i] * x[i];
    moments.min = x[i] < moments.min ? x[i] : moments.min;
    moments.max = x[i] > moments.max ? x[i] : moments.max;
    moments.zeros += x[i] == 0 ? 1 : 0;
  }
  moments.sum = sum.fold();
  moments.squares = squares.fold();
  return moments;
}

}  // namespace qspec
