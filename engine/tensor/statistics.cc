#include "engine/tensor/statistics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/tensor/float_source.h"
#include "engine/tensor/kernels.h"
#include "engine/tensor/parallel.h"

namespace qspec {
namespace {

constexpr int64_t kChunk = 1 << 18;

struct Sums {
  int64_t nan = 0, inf = 0, zeros = 0;
  double sum = 0, squares = 0;
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();

  void merge(const Sums& other) {
    nan += other.nan;
    inf += other.inf;
    zeros += other.zeros;
    sum += other.sum;
    squares += other.squares;
    min = std::min(min, other.min);
    max = std::max(max, other.max);
  }
};

template <class T>
Sums careful_sums(const T* x, int64_t count) {
  Sums sums;
  for (int64_t i = 0; i < count; ++i) {
    const auto value = static_cast<double>(x[i]);
    sums.nan += std::isnan(value) ? 1 : 0;
    sums.inf += std::isinf(value) ? 1 : 0;
    if (!std::isfinite(value)) continue;
    sums.zeros += value == 0 ? 1 : 0;
    sums.sum += value;
    sums.squares += value * value;
    sums.min = std::min(sums.min, value);
    sums.max = std::max(sums.max, value);
  }
  return sums;
}

// Squares near either end of fp32's range lose terms; a NaN or an infinity makes them one.
bool is_safe(const MomentSums& moments) {
  return moments.squares < 1e36f &&
         (moments.squares > 1e-20f || (moments.min == 0 && moments.max == 0));
}

Sums stretch_sums(const float* x, int64_t count) {
  const MomentSums moments = kernels().moment_sums(x, static_cast<size_t>(count));
  if (!is_safe(moments)) return careful_sums(x, count);
  Sums sums;
  sums.zeros = static_cast<int64_t>(moments.zeros);
  sums.sum = moments.sum;
  sums.squares = moments.squares;
  sums.min = moments.min + 0.0;  // no minus zero
  sums.max = moments.max + 0.0;
  return sums;
}

Sums sums_of_chunks(int64_t count, const std::function<Sums(int64_t begin, int64_t end)>& sums) {
  std::vector<Sums> chunks(static_cast<size_t>((count + kChunk - 1) / kChunk));
  parallel_ranges(static_cast<int64_t>(chunks.size()), 1, [&](int64_t first, int64_t last) {
    for (int64_t c = first; c < last; ++c) {
      chunks[static_cast<size_t>(c)] = sums(c * kChunk, std::min(count, (c + 1) * kChunk));
    }
  });
  Sums total;
  for (const Sums& chunk : chunks) total.merge(chunk);
  return total;
}

Sums sums_in_float(const at::Tensor& tensor) {
  const FloatSource source = float_source(tensor);
  return sums_of_chunks(tensor.numel(), [&](int64_t begin, int64_t end) {
    std::array<float, kStretch> buffer;
    Sums sums;
    for (; begin < end; begin += kStretch) {
      const int64_t count = std::min(kStretch, end - begin);
      sums.merge(stretch_sums(source(begin, count, buffer.data()), count));
    }
    return sums;
  });
}

Sums sums_in_double(const at::Tensor& tensor) {
  const at::Tensor wide = tensor.to(at::kDouble).contiguous();
  const auto* data = wide.const_data_ptr<double>();
  return sums_of_chunks(wide.numel(), [&](int64_t begin, int64_t end) {
    return careful_sums(data + begin, end - begin);
  });
}

bool fits_float(at::ScalarType dtype) {
  return dtype != at::kDouble && dtype != at::kInt && dtype != at::kLong && dtype != at::kUInt32 &&
         dtype != at::kUInt64;
}

}  // namespace

Statistics statistics(const at::Tensor& tensor) {
  const Sums sums =
      fits_float(tensor.scalar_type()) ? sums_in_float(tensor) : sums_in_double(tensor);
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  Statistics result{.count = tensor.numel(), .nan = sums.nan, .inf = sums.inf, .zeros = sums.zeros};
  const int64_t finite = result.count - result.nan - result.inf;
  const auto divisor = static_cast<double>(finite);
  result.min = finite > 0 ? sums.min : kNan;
  result.max = finite > 0 ? sums.max : kNan;
  result.mean = finite > 0 ? sums.sum / divisor : kNan;
  result.absmax = finite > 0 ? std::max(std::fabs(sums.min), std::fabs(sums.max)) : kNan;
  result.rms = finite > 0 ? std::sqrt(sums.squares / divisor) : kNan;
  return result;
}

}  // namespace qspec
