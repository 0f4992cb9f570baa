#include "engine/tensor/blockwise8.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/tensor/kernels.h"

namespace qspec {
namespace {

// Thresholds that put a tie with the even code: code = how many of them lie strictly below x. The
// midpoint between an odd code and the even one above it belongs to the even one, so its threshold
// is the float just below.
std::array<float, 255> nearest_even_thresholds(const float* codebook) {
  std::array<float, 255> thresholds;
  for (size_t i = 0; i < thresholds.size(); ++i) {
    const float midpoint = (codebook[i] + codebook[i + 1]) * 0.5f;
    const bool tie_goes_up = i % 2 == 1;
    thresholds[i] =
        tie_goes_up ? std::nextafter(midpoint, -std::numeric_limits<float>::infinity()) : midpoint;
  }
  return thresholds;
}

uint8_t code_of(float x, const std::array<float, 255>& thresholds) {
  if (std::isnan(x)) return 0;
  const auto above = std::lower_bound(thresholds.begin(), thresholds.end(), x);
  return static_cast<uint8_t>(above - thresholds.begin());
}

}  // namespace

std::array<float, 256> dynamic_codebook() {
  constexpr int kExponents = 7;
  std::array<float, 256> codebook{};
  size_t size = 0;
  for (int exponent = 0; exponent < kExponents; ++exponent) {
    const int intervals = 1 << exponent;
    const auto power = static_cast<float>(std::pow(10.0, exponent - (kExponents - 1)));
    const float step = (1.0f - 0.1f) / static_cast<float>(intervals);
    // From both ends towards the middle and rounded once, as torch.linspace does: the last bits
    // depend on it.
    const auto edge = [&](int k) {
      return static_cast<float>(k < (intervals + 1) / 2 ? double{0.1f} + double{step} * k
                                                        : 1.0 - double{step} * (intervals - k));
    };
    for (int k = 0; k < intervals; ++k) {
      const float value = power * ((edge(k) + edge(k + 1)) / 2.0f);
      codebook[size++] = value;
      codebook[size++] = -value;
    }
  }
  codebook[size++] = 0;
  codebook[size++] = 1;
  std::sort(codebook.begin(), codebook.end());
  return codebook;
}

void decode8(const uint8_t* codes, size_t count, const float* codebook, const float* absmax,
             size_t block, float* to) {
  for (size_t begin = 0, b = 0; begin < count; begin += block, ++b) {
    const size_t end = std::min(begin + block, count);
    for (size_t i = begin; i < end; ++i) to[i] = codebook[codes[i]] * absmax[b];
  }
}

void encode8(const float* x, size_t count, const float* codebook, size_t block, uint8_t* codes,
             float* absmax) {
  const std::array<float, 255> thresholds = nearest_even_thresholds(codebook);
  for (size_t begin = 0, b = 0; begin < count; begin += block, ++b) {
    const size_t end = std::min(begin + block, count);
    absmax[b] = kernels().absmax(x + begin, end - begin);
    const float inverse = 1 / absmax[b];
    for (size_t i = begin; i < end; ++i) codes[i] = code_of(x[i] * inverse, thresholds);
  }
}

}  // namespace qspec
