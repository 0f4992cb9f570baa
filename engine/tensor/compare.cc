#include "engine/tensor/compare.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/tensor/kernels.h"
#include "engine/tensor/on_gpu.h"
#include "engine/tensor/parallel.h"

namespace qspec {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int64_t kChunk = 1 << 18;

// Sums of fp32 squares outside of this range may have lost a term to underflow or overflow.
constexpr double kLeastSafe = 1e-20;
constexpr double kLargestSafe = 1e36;

// Adds up one chunk, stretch by stretch.
class Accumulator {
 public:
  Accumulator(int64_t first_block, int64_t block_size, Comparison& sums)
      : block_size_(block_size), sums_(sums), block_(first_block) {}

  // Elements begin.. of the whole; a stretch that begins within a block lies within it.
  void add(const float* r, const float* q, int64_t begin, int64_t count) {
    const int64_t part = std::min(block_size_, count);
    const auto parts = static_cast<size_t>((count + part - 1) / part);
    ErrorSums stretch =
        kernels().error_sums(r, q, static_cast<size_t>(count), static_cast<size_t>(part),
                             squares_.data(), errors_.data());
    if (!is_safe(stretch, parts)) return add_carefully(r, q, begin, count, part);
    sums_.cross += stretch.cross;
    note_largest(r, q, begin, count, stretch.max_abs_error);
    for (size_t p = 0; p < parts; ++p) {
      add_part(begin + static_cast<int64_t>(p) * part, squares_[p], errors_[p]);
    }
  }

  void finish() {
    // error / baseline > worst error / worst baseline, without dividing by zero.
    if (block_errors_ * sums_.worst_baseline_squares > sums_.worst_error_squares * block_squares_ ||
        (sums_.worst_block < 0 && block_errors_ > 0)) {
      sums_.worst_block = block_;
      sums_.worst_error_squares = block_errors_;
      sums_.worst_baseline_squares = block_squares_;
    }
    block_squares_ = block_errors_ = 0;
  }

 private:
  bool is_safe(const ErrorSums& stretch, size_t parts) const {
    const double squares = std::accumulate(squares_.begin(), squares_.begin() + parts, 0.0);
    const double errors = std::accumulate(errors_.begin(), errors_.begin() + parts, 0.0);
    return squares + errors < kLargestSafe && (squares > kLeastSafe || squares == 0) &&
           (errors > kLeastSafe || stretch.max_abs_error == 0);
  }

  void add_part(int64_t begin, double squares, double errors) {
    if (begin / block_size_ != block_) {
      finish();
      block_ = begin / block_size_;
    }
    sums_.baseline_squares += squares;
    sums_.error_squares += errors;
    block_squares_ += squares;
    block_errors_ += errors;
  }

  void note_largest(const float* r, const float* q, int64_t begin, int64_t count, float largest) {
    if (!(largest > sums_.max_abs_error)) return;
    sums_.max_abs_error = largest;
    for (int64_t i = 0; i < count; ++i) {
      if (std::fabs(q[i] - r[i]) != largest) continue;
      sums_.max_error_index = begin + i;
      return;
    }
  }

  // The same in double precision, element by element, without those that are not finite.
  void add_carefully(const float* r, const float* q, int64_t begin, int64_t count, int64_t part) {
    for (int64_t i = 0; i < count;) {
      const int64_t part_begin = begin + i, end = std::min(count, i + part);
      double squares = 0, errors = 0;
      for (; i < end; ++i) {
        const double baseline = r[i], decoded = q[i], error = decoded - baseline;
        sums_.nonfinite_baseline += std::isfinite(baseline) ? 0 : 1;
        sums_.nonfinite_decoded += std::isfinite(decoded) ? 0 : 1;
        if (!std::isfinite(baseline) || !std::isfinite(decoded)) continue;
        squares += baseline * baseline;
        errors += error * error;
        sums_.cross += baseline * error;
        if (std::fabs(error) <= sums_.max_abs_error) continue;
        sums_.max_abs_error = std::fabs(error);
        sums_.max_error_index = begin + i;
      }
      add_part(part_begin, squares, errors);
    }
  }

  int64_t block_size_;
  Comparison& sums_;
  int64_t block_;
  double block_squares_ = 0, block_errors_ = 0;
  std::array<float, kStretch> squares_, errors_;
};

void merge(Comparison& total, const Comparison& chunk) {
  total.nonfinite_decoded += chunk.nonfinite_decoded;
  total.nonfinite_baseline += chunk.nonfinite_baseline;
  total.baseline_squares += chunk.baseline_squares;
  total.error_squares += chunk.error_squares;
  total.cross += chunk.cross;
  if (chunk.max_abs_error > total.max_abs_error) {
    total.max_abs_error = chunk.max_abs_error;
    total.max_error_index = chunk.max_error_index;
  }
  const bool worse = chunk.worst_error_squares * total.worst_baseline_squares >
                     total.worst_error_squares * chunk.worst_baseline_squares;
  if (chunk.worst_block >= 0 && (worse || total.worst_block < 0)) {
    total.worst_block = chunk.worst_block;
    total.worst_error_squares = chunk.worst_error_squares;
    total.worst_baseline_squares = chunk.worst_baseline_squares;
  }
}

double decibels(double signal, double noise) {
  return noise == 0 ? kInfinity : 10 * std::log10(signal / noise);
}

Comparison compare_chunk(const FloatSource& decoded, const FloatSource& baseline, int64_t begin,
                         int64_t end, int64_t block_size) {
  Comparison sums;
  Accumulator accumulator(begin / block_size, block_size, sums);
  std::array<float, kStretch> decoded_buffer, baseline_buffer;
  const int64_t step = block_size > kStretch ? kStretch : kStretch / block_size * block_size;
  while (begin < end) {
    const int64_t block_end = (begin / block_size + 1) * block_size;
    const int64_t limit = block_size > kStretch ? std::min(end, block_end) : end;
    const int64_t count = std::min(step, limit - begin);
    accumulator.add(baseline(begin, count, baseline_buffer.data()),
                    decoded(begin, count, decoded_buffer.data()), begin, count);
    begin += count;
  }
  accumulator.finish();
  return sums;
}

}  // namespace

double Comparison::sqnr_db() const {
  return all_finite() ? decibels(baseline_squares, error_squares) : -kInfinity;
}

double Comparison::worst_block_sqnr_db() const {
  return all_finite() ? decibels(worst_baseline_squares, worst_error_squares) : -kInfinity;
}

double Comparison::cosine() const {
  if (!all_finite()) return 0;
  const double products = baseline_squares + cross;
  const double decoded_squares = baseline_squares + 2 * cross + error_squares;
  if (baseline_squares == 0 && error_squares == 0) return 1;
  if (baseline_squares == 0 || decoded_squares <= 0) return 0;
  // Rounding may leave the result a last place above 1.
  return std::clamp(products / (std::sqrt(baseline_squares) * std::sqrt(decoded_squares)), -1.0,
                    1.0);
}

double Comparison::nmse() const {
  if (!all_finite()) return kInfinity;
  return error_squares == 0 ? 0 : error_squares / baseline_squares;
}

double Comparison::gain() const {
  if (!all_finite()) return kInfinity;
  return baseline_squares == 0 ? 1 : 1 + cross / baseline_squares;
}

double Comparison::worst_block_power() const {
  if (worst_block < 0 || baseline_squares == 0) return 0;
  return worst_baseline_squares / baseline_squares * static_cast<double>(blocks);
}

Comparison compare(const FloatSource& decoded, const FloatSource& baseline, int64_t count,
                   int64_t block_size) {
  if (block_size < 1) {
    throw Error(ErrorKind::kSpec,
                "block size is " + std::to_string(block_size) + ", wanted at least 1");
  }
  const int64_t chunk = std::max<int64_t>(1, kChunk / block_size) * block_size;
  std::vector<Comparison> chunks(static_cast<size_t>((count + chunk - 1) / chunk));
  parallel_ranges(static_cast<int64_t>(chunks.size()), 1, [&](int64_t first, int64_t last) {
    for (int64_t c = first; c < last; ++c) {
      chunks[static_cast<size_t>(c)] =
          compare_chunk(decoded, baseline, c * chunk, std::min(count, (c + 1) * chunk), block_size);
    }
  });
  Comparison total;
  total.count = count;
  total.blocks = (count + block_size - 1) / block_size;
  for (const Comparison& part : chunks) merge(total, part);
  return total;
}

Comparison compare(const at::Tensor& decoded, const at::Tensor& baseline, int64_t block_size) {
  check_same_shape(decoded.sizes(), baseline);
  if (const auto result = compare_on_gpu(decoded, baseline, block_size)) return *result;
  return compare(float_source(decoded), float_source(baseline), decoded.numel(), block_size);
}

void check_same_shape(at::IntArrayRef shape, const at::Tensor& baseline) {
  if (baseline.sizes() == shape) return;
  std::ostringstream text;
  text << "baseline has shape " << baseline.sizes() << ", wanted " << shape;
  throw Error(ErrorKind::kSpec, text.str());
}

}  // namespace qspec
