#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>

#include "engine/kernels/both.h"
#include "engine/tensor/kernels.h"

namespace qspec::cuda {

// Where a number lies among the thresholds of a CodeRule, found with one look into a table: its
// range is cut into bins so narrow that none holds two thresholds. A bin knows how many thresholds
// lie in the bins before it, and its own. As bin_of never descends, a threshold of an earlier bin
// is below the number and one of a later bin is not, whatever was rounded on the way: the position
// is that of kernels.h for every float.
struct ThresholdBins {
  static constexpr int kCount = 33;

  float threshold[kCount];  // +infinity where a bin has none
  uint32_t before[kCount];
};

// Adding it to a number from 0 to 1 leaves the number times 32, rounded, in the low bits.
inline constexpr float kBinShift = 0x1.8p18f;
inline constexpr uint32_t kBinShiftBits = 0x48c00000;

QSPEC_BOTH inline float bin_fraction(float x, bool magnitude) {
#if defined(__CUDA_ARCH__)
  return magnitude ? __saturatef(fabsf(x)) : __saturatef(__fmaf_rn(x, 0.5f, 0.5f));
#else
  const float fraction = magnitude ? std::fabs(x) : std::fma(x, 0.5f, 0.5f);
  return fraction > 0 ? std::fmin(fraction, 1.0f) : 0.0f;  // 0 for a NaN, as the GPU has it
#endif
}

// 0 to 32; 0 for a NaN.
QSPEC_BOTH inline uint32_t bin_of(float x, bool magnitude) {
#if defined(__CUDA_ARCH__)
  return __float_as_uint(__fadd_rn(bin_fraction(x, magnitude), kBinShift)) - kBinShiftBits;
#else
  const float shifted = bin_fraction(x, magnitude) + kBinShift;
  uint32_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  return bits - kBinShiftBits;
#endif
}

// The number of thresholds strictly below x, or below |x|.
QSPEC_BOTH inline uint32_t position_of(float x, bool magnitude, const ThresholdBins& bins) {
  const uint32_t bin = bin_of(x, magnitude);
  const float value = magnitude ? fabsf(x) : x;
  return bins.before[bin] + (value > bins.threshold[bin] ? 1 : 0);
}

// Nothing when two thresholds share a bin, or one is none that a number of its rule can have.
inline std::optional<ThresholdBins> threshold_bins(const CodeRule& rule) {
  const float least = rule.magnitude ? 0 : std::numeric_limits<float>::lowest();
  if (rule.thresholds[0] < least) return std::nullopt;
  ThresholdBins bins;
  for (float& threshold : bins.threshold) threshold = std::numeric_limits<float>::infinity();
  uint32_t below = 0;
  int next = 0;
  for (int bin = 0; bin < ThresholdBins::kCount; ++bin) {
    bins.before[bin] = below;
    for (; next < 15 && std::isfinite(rule.thresholds[next]) &&
           bin_of(rule.thresholds[next], rule.magnitude) == static_cast<uint32_t>(bin);
         ++next, ++below) {
      if (std::isfinite(bins.threshold[bin])) return std::nullopt;
      bins.threshold[bin] = rule.thresholds[next];
    }
  }
  return bins;
}

}  // namespace qspec::cuda
