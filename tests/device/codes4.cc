#include "tests/device/codes4.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qspec::device_test {
namespace {

template <size_t kThresholds>
CodeRule rule(const double (&thresholds)[kThresholds], bool magnitude) {
  CodeRule made{};
  made.magnitude = magnitude;
  std::fill_n(made.thresholds, 16, std::numeric_limits<float>::infinity());
  std::copy_n(thresholds, kThresholds, made.thresholds);
  for (uint32_t i = 0; i <= kThresholds; ++i) made.codes[i] = i;
  return made;
}

std::vector<float> odd_scales(size_t count, uint32_t seed) {
  std::vector<float> scales = odd_floats(count, seed);
  for (float& scale : scales) scale = std::fabs(scale);
  return scales;
}

}  // namespace

CodeRule nf4_rule() {
  constexpr double kThresholds[] = {
      -0.8480964004993439,  -0.6106329262256622,  -0.4599952697753906,   -0.33967943489551544,
      -0.23460740596055984, -0.13791173323988914, -0.045525018125772476, 0.03979014977812767,
      0.1202552504837513,   0.2035212516784668,   0.2920137718319893,    0.3893125355243683,
      0.5016634166240692,   0.6427869200706482,   0.8614784181118011};
  return rule(kThresholds, false);
}

CodeRule fp4_rule() {
  constexpr double kThresholds[] = {0.00260417, 0.0859375, 0.20833333, 0.29166667,
                                    0.4166667,  0.583333,  0.8333333};
  constexpr uint32_t kCodes[] = {0, 1, 6, 7, 4, 5, 2, 3};
  CodeRule made = rule(kThresholds, true);
  std::copy_n(kCodes, 8, made.codes);
  return made;
}

Codes4::Codes4(size_t count, size_t block_size, uint32_t seed)
    : count(count),
      block_size(block_size),
      packed(random_bytes((count + 1) / 2, seed)),
      absmax(odd_scales((count + block_size - 1) / block_size, seed + 7)),
      device_packed(packed),
      device_absmax(absmax) {}

std::vector<float> Codes4::decoded() const {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) {
    const uint8_t byte = packed[i / 2];
    values[i] = codebook.value[i % 2 == 0 ? byte >> 4 : byte & 15] * absmax[i / block_size];
  }
  return values;
}

cuda::Codes4OnDevice Codes4::on_device() const {
  return {device_packed.data(), device_absmax.data(), codebook, static_cast<int64_t>(count),
          static_cast<int64_t>(block_size)};
}

}  // namespace qspec::device_test
