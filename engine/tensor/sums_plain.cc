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
  Lanes cross, largest;
  for (size_t begin = 0, b = 0; begin < count; begin += block, ++b) {
    const size_t length = std::min(block, count - begin);
    Lanes block_squares, block_errors;
    for (size_t group = begin; group < begin + length; group += 16) {
      const size_t lanes = std::min<size_t>(16, begin + length - group);
      for (size_t lane = 0; lane < lanes; ++lane) {
        const float base = r[group + lane], e = q[group + lane] - base;
        block_squares.of[lane] += base * base;
        block_errors.of[lane] += e * e;
        cross.of[lane] += base * e;
        largest.of[lane] = std::fabs(e) > largest.of[lane] ? std::fabs(e) : largest.of[lane];
      }
    }
    squares[b] = block_squares.fold();
    errors[b] = block_errors.fold();
  }
  return {cross.fold(), *std::max_element(largest.of, largest.of + 16)};
}

MomentSums moment_sums_plain(const float* x, size_t count) {
  Lanes sum, squares;
  MomentSums moments{0, 0, x[0], x[0], 0};
  for (size_t group = 0; group < count; group += 16) {
    const size_t lanes = std::min<size_t>(16, count - group);
    for (size_t lane = 0; lane < lanes; ++lane) {
      const float value = x[group + lane];
      sum.of[lane] += value;
      squares.of[lane] += value * value;
      moments.min = value < moments.min ? value : moments.min;
      moments.max = value > moments.max ? value : moments.max;
      moments.zeros += value == 0 ? 1 : 0;
    }
  }
  moments.sum = sum.fold();
  moments.squares = squares.fold();
  return moments;
}

}  // namespace qspec
